#include <weft/log/file_sink.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

namespace weft::log {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
constexpr auto long_enough = 30s;

class file_sinks : public testing::Test {
 protected:
  file_sinks() {
    std::string name = (fs::temp_directory_path() / "weft-log-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~file_sinks() override { fs::remove_all(folder_); }

  fs::path path(const char* name = "app.log") const { return folder_ / name; }
  static std::string content(const fs::path& of) {
    std::ifstream in(of);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void log_to(sink& to, std::string message) {
    auto one = std::make_shared<record>();
    one->message = std::move(message);
    to.accept(one);
  }
  /// The thread of a sink does it.
  template <typename Claim>
  static bool comes_true(Claim claim) {
    const auto until = std::chrono::steady_clock::now() + long_enough;
    while (!claim()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }

  fs::path folder_;
};

TEST_F(file_sinks, writes_at_the_end_of_its_file_in_the_form_asked_for) {
  std::ofstream(path()) << "before\n";
  {
    file_sink to({.path = path()});
    log_to(to, "first");
  }
  {
    file_sink to({.path = path(), .format = line_format::json});
    log_to(to, "second");
  }
  const auto all = content(path());
  EXPECT_TRUE(all.starts_with("before\ntime=")) << all;
  EXPECT_NE(all.find(" msg=first "), std::string::npos) << all;
  EXPECT_NE(all.find("\"msg\":\"second\""), std::string::npos) << all;
}

TEST_F(file_sinks, makes_a_file_that_others_cannot_read) {
  const file_sink to({.path = path()});
  struct stat of {};
  ASSERT_EQ(::stat(path().c_str(), &of), 0);
  EXPECT_EQ(of.st_mode & 0007, 0U);
}

TEST_F(file_sinks, opens_a_renamed_file_anew_at_once) {
  file_sink to({.path = path()});
  log_to(to, "first");
  ASSERT_TRUE(to.flush(long_enough));
  fs::rename(path(), path("app.log.1"));
  to.reopen();
  EXPECT_TRUE(comes_true([&] { return fs::exists(path()); })) << "though nothing is written";
  log_to(to, "second");
  ASSERT_TRUE(to.flush(long_enough));
  EXPECT_NE(content(path("app.log.1")).find("msg=first"), std::string::npos);
  EXPECT_EQ(content(path("app.log.1")).find("msg=second"), std::string::npos);
  EXPECT_NE(content(path()).find("msg=second"), std::string::npos);
}

TEST_F(file_sinks, goes_on_with_the_old_file_where_no_new_one_can_be_opened) {
  file_sink to({.path = path()});
  log_to(to, "first");
  ASSERT_TRUE(to.flush(long_enough));
  fs::rename(path(), path("app.log.1"));
  fs::create_directory(path());
  to.reopen();
  log_to(to, "second");
  ASSERT_TRUE(to.flush(long_enough));
  const auto old = content(path("app.log.1"));
  EXPECT_NE(old.find("could not be opened anew"), std::string::npos) << old;
  EXPECT_NE(old.find("msg=second"), std::string::npos) << old;
}

TEST_F(file_sinks, loses_and_cuts_no_line_while_it_is_renamed_again_and_again) {
  constexpr int count = 20'000;
  file_sink to({.path = path(), .queue_records_max = count});
  std::atomic<bool> is_done{false};
  std::thread writing([&] {
    for (int i = 0; i < count; ++i) log_to(to, "number-" + std::to_string(i));
    is_done = true;
  });
  int renamed = 0;
  while (!is_done || renamed < 5) {
    if (!fs::exists(path())) continue;
    fs::rename(path(), path(("app.log." + std::to_string(++renamed)).c_str()));
    to.reopen();
  }
  writing.join();
  ASSERT_TRUE(to.flush(long_enough));
  std::set<std::string> seen;
  for (const auto& one : fs::directory_iterator(folder_)) {
    std::ifstream in(one.path());
    for (std::string line; std::getline(in, line);) {
      const auto at = line.find(" msg=number-");
      ASSERT_TRUE(line.starts_with("time=") && at != std::string::npos) << line;
      EXPECT_TRUE(seen.insert(line.substr(at + 12, line.find(' ', at + 1) - at - 12)).second) << line;
    }
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(count));
  EXPECT_EQ(to.dropped(), 0U);
}

TEST_F(file_sinks, a_path_that_cannot_be_opened_is_an_error) {
  EXPECT_THROW(file_sink({.path = folder_ / "none" / "app.log"}), weft::error);
}

TEST_F(file_sinks, what_is_dropped_is_counted_for_the_program) {
  const auto before = dropped();
  {
    file_sink to({.path = "/dev/full"});
    log_to(to, "no room");
    ASSERT_TRUE(to.flush(long_enough));
    EXPECT_GE(to.dropped(), 1U);
  }
  EXPECT_GE(dropped(), before + 1) << "also of a sink that has gone";
}

TEST_F(file_sinks, all_sinks_of_the_program_open_their_files_anew) {
  const auto to = std::make_shared<file_sink>(file_sink_options{.path = path()});
  add_sink(to);
  info("first");
  ASSERT_TRUE(flush(long_enough));
  fs::rename(path(), path("app.log.1"));
  reopen_sinks();
  info("second");
  ASSERT_TRUE(flush(long_enough));
  remove_sink(to);
  EXPECT_NE(content(path()).find("msg=second"), std::string::npos);
}

}  // namespace
}  // namespace weft::log
