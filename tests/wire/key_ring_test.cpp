#include <weft/wire/key_ring.hpp>

#include <atomic>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>
#include <weft/wire/envelope.hpp>
#include <weft/wire/key_file.hpp>

#include "support/scratch_folder.hpp"

namespace {

using weft::errc;
using weft::wire::key;
using weft::wire::key_ring;

class key_file : public testing::Test {
 protected:
  std::string path() const { return folder_ / "keys"; }

  void write(const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path()) << text;
    chmod(path().c_str(), mode);
  }

  errc refusal() const {
    try {
      (void)key_ring::load(path());
    } catch (const weft::error& problem) {
      const bool names_file = problem.message().find(path()) != std::string::npos;
      EXPECT_TRUE(names_file || problem.code() == errc::invalid_argument) << problem.what();
      return problem.code();
    }
    return errc::unknown;
  }

  weft_test::scratch_folder folder_;
};

constexpr const char* good_secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

TEST_F(key_file, is_written_for_its_owner_and_read_back) {
  std::vector<key> keys;
  keys.push_back(key::generate("new"));
  keys.push_back(key::generate("old"));
  const key_ring made(std::move(keys));
  made.save(path());
  struct stat info {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const auto loaded = key_ring::load(path());
  EXPECT_EQ(loaded.ids(), (std::vector<std::string>{"new", "old"}));
  EXPECT_EQ(weft::wire::verify(loaded, "p", weft::wire::sign(made, "p", weft::to_bytes("x"))),
            weft::to_bytes("x"));
  EXPECT_THROW(made.save(path()), weft::error);
}

TEST_F(key_file, may_hold_comments_and_empty_lines) {
  write(std::string("# keys of the queue\n\nk1 ") + good_secret);
  EXPECT_EQ(key_ring::load(path()).ids(), std::vector<std::string>{"k1"});
}

TEST_F(key_file, has_an_error_of_its_own_for_each_fault) {
  EXPECT_EQ(refusal(), errc::not_found);
  write(std::string("k1 ") + good_secret, 0640);
  EXPECT_EQ(refusal(), errc::refused);
  write("");
  EXPECT_EQ(refusal(), errc::malformed);
  write("k1\n");
  EXPECT_EQ(refusal(), errc::malformed);
  write("k1 AAEC!\n");
  EXPECT_EQ(refusal(), errc::malformed);
  write("k1 AAECAwQ=\n");
  EXPECT_EQ(refusal(), errc::invalid_argument);
  write(std::string("k1 ") + good_secret + "\nk1 " + good_secret);
  EXPECT_EQ(refusal(), errc::invalid_argument);
  write(std::string(70'000, '#'));
  EXPECT_EQ(refusal(), errc::malformed);
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_EQ(refusal(), errc::refused);
}

TEST_F(key_file, keeps_dates_retired_ids_and_comments_when_it_is_changed) {
  write(std::string("# of the queue\nk1 ") + good_secret + " created=2026-02-28T23:59:58Z\n");
  weft::wire::key_file::change(path(), [](weft::wire::key_file& file) {
    file.keys.insert(file.keys.begin(), key::generate("k2"));
    file.retired.push_back({"k0", std::chrono::sys_days(std::chrono::year(2024) / 2 / 29)});
  });
  const auto now = weft::wire::key_file::load(path());
  EXPECT_EQ(now.comments, std::vector<std::string>{"# of the queue"});
  ASSERT_EQ(now.keys.size(), 2U);
  EXPECT_EQ(now.keys[0].id(), "k2");
  EXPECT_TRUE(now.keys[0].created());
  ASSERT_TRUE(now.keys[1].created());
  EXPECT_EQ(weft::wire::date_text(*now.keys[1].created()), "2026-02-28T23:59:58Z");
  ASSERT_EQ(now.retired.size(), 1U);
  EXPECT_EQ(weft::wire::date_text(now.retired[0].retired), "2024-02-29T00:00:00Z");
  struct stat info {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(key_file, is_as_it_was_after_a_change_that_failed) {
  write(std::string("k1 ") + good_secret + "\n");
  EXPECT_THROW(weft::wire::key_file::change(path(), [](auto&) { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_THROW(weft::wire::key_file::change(path(), [](auto& file) { file.keys.clear(); }), weft::error);
  EXPECT_THROW(
      weft::wire::key_file::change(path(), [](auto& file) { file.keys.push_back(key::generate("k1")); }),
      weft::error);
  EXPECT_EQ(key_ring::load(path()).ids(), std::vector<std::string>{"k1"});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1)
      << "nothing is left beside it";
}

TEST_F(key_file, is_whole_for_who_reads_it_while_it_is_changed) {
  key_ring(key::generate("k0")).save(path());
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) (void)key_ring::load(path());  // throws, and so ends the program, for half a file
  });
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 10; ++i) {
        weft::wire::key_file::change(path(), [&](auto& file) {
          file.keys.push_back(key::generate("w" + std::to_string(writer) + "-" + std::to_string(i)));
        });
      }
    });
  }
  for (auto& one : writers) one.join();
  done = true;
  reader.join();
  EXPECT_EQ(key_ring::load(path()).ids().size(), 41U) << "no change was lost";
}

/// The wait status of a child that makes a key file where there is no room for a byte.
int make_without_room(const std::string& path, void (*on_signal)(int)) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, on_signal);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &none);
    try {
      key_ring(key::generate("k1")).save(path);
    } catch (const weft::error&) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST_F(key_file, is_not_there_when_its_maker_died_or_failed_half_way) {
  const int died = make_without_room(path(), SIG_DFL);
  ASSERT_TRUE(WIFSIGNALED(died) && WTERMSIG(died) == SIGXFSZ) << died;
  EXPECT_FALSE(std::filesystem::exists(path()));
  std::filesystem::remove_all(folder_.path());
  std::filesystem::create_directory(folder_.path());
  const int failed = make_without_room(path(), SIG_IGN);
  ASSERT_TRUE(WIFEXITED(failed) && WEXITSTATUS(failed) == 1) << failed;
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path())) << "nor anything beside it";
  key_ring(key::generate("k1")).save(path());
  EXPECT_EQ(key_ring::load(path()).ids(), std::vector<std::string>{"k1"});
}

TEST_F(key_file, is_of_one_of_those_who_make_it_at_once) {
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove(path());
    std::atomic<int> ready{0};
    std::atomic<int> winner{-1};
    std::atomic<int> refused{0};
    std::vector<std::thread> makers;
    for (int maker = 0; maker < 4; ++maker) {
      makers.emplace_back([&, maker] {
        const key_ring made(key::generate("m" + std::to_string(maker)));
        ++ready;
        while (ready < 4) std::this_thread::yield();
        try {
          made.save(path());
          winner = maker;
        } catch (const weft::error& problem) {
          if (problem.code() == errc::already_exists) ++refused;
        }
      });
    }
    for (auto& one : makers) one.join();
    EXPECT_EQ(refused, 3);
    EXPECT_EQ(key_ring::load(path()).ids().at(0), "m" + std::to_string(winner));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
  }
}

TEST_F(key_file, of_another_mode_is_refused_for_a_change_too) {
  write(std::string("k1 ") + good_secret + "\n", 0604);
  EXPECT_THROW(weft::wire::key_file::change(path(), [](auto&) {}), weft::error);
}

TEST_F(key_file, is_changed_where_a_link_leads) {
  write(std::string("k1 ") + good_secret + "\n");
  const std::string link = folder_.path() + "/link";
  std::filesystem::create_symlink(path(), link);
  weft::wire::key_file::change(link, [](auto& file) { file.keys.push_back(key::generate("k2")); });
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(key_ring::load(path()).ids().size(), 2U);
}

TEST_F(key_file, that_is_not_there_says_how_to_make_one) {
  try {
    (void)key_ring::load(path());
    FAIL() << "it was loaded";
  } catch (const weft::error& problem) {
    EXPECT_NE(problem.message().find("weft keys generate " + path()), std::string::npos) << problem.what();
  }
}

TEST_F(key_file, never_shows_a_line_in_an_error) {
  for (const char* line : {"k1 hunter2secret", "k1 hunter2secret created=never", "hunter2secret"}) {
    write(std::string(line) + "\n");
    try {
      (void)key_ring::load(path());
      ADD_FAILURE() << "it was loaded";
    } catch (const weft::error& problem) {
      EXPECT_EQ(problem.message().find("hunter2"), std::string::npos) << problem.what();
    }
  }
}

TEST_F(key_file, refuses_dates_that_are_none) {
  for (const char* date : {"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z",
                           "2026-01-01 00:00:00Z", "2026-01-01T00:00:00", "+026-01-01T00:00:00Z", ""}) {
    write(std::string("k1 ") + good_secret + " created=" + date + "\n");
    EXPECT_EQ(refusal(), errc::malformed) << date;
    write(std::string("k1 ") + good_secret + "\nk0 - retired=" + date + "\n");
    EXPECT_EQ(refusal(), errc::malformed) << date;
  }
}

TEST_F(key_file, may_be_named_or_spelled_out_in_the_environment) {
  const auto problem_of = [](const char* value) {
    value != nullptr ? setenv("WEFT_TEST_KEYS", value, 1) : unsetenv("WEFT_TEST_KEYS");
    try {
      (void)key_ring::from_environment("WEFT_TEST_KEYS");
    } catch (const weft::error& problem) {
      return problem.message();
    }
    return std::string();
  };
  EXPECT_NE(problem_of(nullptr).find("weft keys generate"), std::string::npos);
  EXPECT_NE(problem_of("").find("weft keys generate"), std::string::npos);
  EXPECT_NE(problem_of(("file:" + path()).c_str()).find(path()), std::string::npos);
  EXPECT_EQ(problem_of("hunter2").find("hunter2"), std::string::npos);
  write(std::string("k1 ") + good_secret + "\n");
  EXPECT_EQ(problem_of(("file:" + path()).c_str()), "");
  setenv("WEFT_TEST_KEYS", (std::string("new ") + good_secret + ";old " + good_secret).c_str(), 1);
  EXPECT_EQ(key_ring::from_environment("WEFT_TEST_KEYS").ids(), (std::vector<std::string>{"new", "old"}));
  unsetenv("WEFT_TEST_KEYS");
}

TEST(key, that_was_retired_is_an_error_of_its_own) {
  const key_ring before(key::generate("old"));
  const auto envelope = weft::wire::sign(before, "p", weft::to_bytes("x"));
  std::vector<key> keys;
  keys.push_back(key::generate("new"));
  const key_ring after(std::move(keys), {{"old", {}}});
  try {
    (void)weft::wire::verify(after, "p", envelope);
    FAIL() << "it was accepted";
  } catch (const weft::wire::key_is_retired& problem) {
    EXPECT_EQ(problem.id(), "old");
    EXPECT_EQ(problem.code(), errc::refused);
  }
}

// The line of /proc/self/smaps that tells what the kernel does with the pages at `address`.
std::string flags_of_pages(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool is_inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2) {
      is_inside = begin <= wanted && wanted < end;
    }
    if (is_inside && line.starts_with("VmFlags:")) return line + ' ';
  }
  return {};
}

TEST(key, is_left_out_of_core_dumps) {
  const auto one = key::generate("k");
  EXPECT_NE(flags_of_pages(one.secret().data()).find(" dd "), std::string::npos);
}

TEST(key, refuses_a_short_secret_and_an_odd_id) {
  EXPECT_THROW(key("k", weft::wire::secret_bytes(31)), weft::error);
  EXPECT_THROW(key("", weft::wire::secret_bytes(32)), weft::error);
  EXPECT_THROW(key("a b", weft::wire::secret_bytes(32)), weft::error);
  EXPECT_THROW(key_ring(std::vector<key>{}), weft::error);
}

TEST(key, derives_other_bytes_for_each_purpose) {
  const key_ring keys(key::generate("k"));
  const auto a = keys.derive("k", "cookies", 32);
  const auto b = keys.derive("k", "cookies", 32);
  const auto c = keys.derive("k", "tokens", 32);
  EXPECT_EQ(weft::as_text(a.data()), weft::as_text(b.data()));
  EXPECT_NE(weft::as_text(a.data()), weft::as_text(c.data()));
  EXPECT_THROW((void)keys.derive("other", "x", 32), weft::error);
}

}  // namespace
