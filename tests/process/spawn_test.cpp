#include <weft/process/spawn_options.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/context/environment.hpp>
#include <weft/process/child.hpp>
#include <weft/process/find_program.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

#include "support/expect_error.hpp"

namespace {

using weft::errc;
using weft::process::child;
using weft::process::exit_status;
using weft::process::spawn_options;

std::string read_all(int fd) {
  std::string text;
  char buffer[256];
  for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

inline constexpr weft::key_spec said_spec{.name = "test.said"};
inline const weft::key<std::string> said{said_spec};

/// What a shell script prints, spawned with `options`.
std::string printed_by(const std::string& script, spawn_options options = {}) {
  auto output = weft::process::make_pipe();
  options.program = "/bin/sh";
  options.arguments = {"sh", "-c", script};
  options.descriptors.push_back({output.writer.get(), 1});
  auto one = child::spawn(options);
  output.writer.reset();
  const std::string text = read_all(output.reader.get());
  EXPECT_EQ(one.wait(), exit_status::exited(0));
  return text;
}

/// A folder that is gone afterwards.
struct scratch_folder {
  scratch_folder() {
    std::string name = std::filesystem::temp_directory_path() / "weft-spawn-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~scratch_folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name, const std::string& text, mode_t mode) const {
    const std::string whole = path + '/' + name;
    std::ofstream(whole) << text;
    ::chmod(whole.c_str(), mode);
    return whole;
  }
  std::string path;
};

TEST(spawn, works_in_the_directory_given) { EXPECT_EQ(printed_by("pwd", {.directory = "/usr"}), "/usr\n"); }

TEST(spawn, can_give_an_environment_of_its_own) {
  ::setenv("WEFT_OUTER", "seen", 1);
  EXPECT_EQ(printed_by("echo \"$WEFT_OUTER $WEFT_INNER\"", {.environment = {"WEFT_INNER=1"}}), "seen 1\n");
  EXPECT_EQ(printed_by("echo \"$WEFT_OUTER $WEFT_INNER\"",
                       {.environment = {"WEFT_INNER=1"}, .clear_environment = true}),
            " 1\n");
  ::unsetenv("WEFT_OUTER");
}

void say_what_a_child_finds(const weft::context& of, std::vector<weft::environment_variable>& into) {
  const std::string* const found = of.find(said);
  if (found == nullptr) return;
  into.push_back({"WEFT_OUTER", *found});
  into.push_back({"WEFT_OLD", std::nullopt});
}

TEST(spawn, what_the_context_says_is_in_the_environment) {
  weft::add_environment_source(&say_what_a_child_finds);
  ::setenv("WEFT_OUTER", "outer", 1);
  ::setenv("WEFT_OLD", "old", 1);
  const std::string script = "echo \"$WEFT_OUTER $WEFT_OLD\"";
  EXPECT_EQ(printed_by(script), "outer old\n");
  {
    const weft::scoped_value here(said, "context");
    EXPECT_EQ(printed_by(script), "context \n");
    EXPECT_EQ(printed_by(script, {.environment = {"WEFT_OUTER=mine", "WEFT_OLD=new"}}), "mine new\n");
    EXPECT_EQ(printed_by(script, {.pass_context = false}), "outer old\n");
    EXPECT_EQ(printed_by(script, {.clear_environment = true}), " \n");
  }
  ::unsetenv("WEFT_OUTER");
  ::unsetenv("WEFT_OLD");
}

TEST(spawn, sets_the_limits_of_the_program_only) {
  const auto before = printed_by("ulimit -n");
  EXPECT_EQ(printed_by("ulimit -n; ulimit -t",
                       {.resource_limits = {.cpu_time = std::chrono::seconds(7), .open_files = 33}}),
            "33\n7\n");
  EXPECT_EQ(printed_by("ulimit -n"), before);
}

TEST(spawn, may_die_with_the_thread_that_started_it) {
  child one;
  child other;
  std::thread([&] {
    spawn_options options{.program = "/bin/sleep", .arguments = {"sleep", "1000"}};
    other = child::spawn(options);
    options.die_with_thread = true;
    one = child::spawn(options);
  }).join();
  EXPECT_EQ(one.wait(), exit_status::signaled(SIGKILL));
  EXPECT_FALSE(other.try_wait()) << "unless it was asked for";
}

TEST(spawn, no_signal_is_blocked_or_ignored_in_the_program) {
  const auto former = std::signal(SIGUSR1, SIG_IGN);
  sigset_t blocked;
  sigset_t former_mask;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &former_mask);
  const auto text = printed_by("cat /proc/self/status | grep -E 'Sig(Blk|Ign|Cgt)' | tr -d '\\t\\n'");
  ::pthread_sigmask(SIG_SETMASK, &former_mask, nullptr);
  std::signal(SIGUSR1, former);
  EXPECT_EQ(text, "SigBlk:0000000000000000SigIgn:0000000000000000SigCgt:0000000000000000");
}

TEST(spawn, leaves_the_own_signal_mask_as_it_was) {
  sigset_t before;
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  printed_by("true");
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal = 1; signal < 32; ++signal) {
    EXPECT_EQ(::sigismember(&before, signal), ::sigismember(&after, signal)) << signal;
  }
}

TEST(spawn, may_be_called_by_many_threads_at_once) {
  const auto before = weft::process::open_descriptors();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (int round = 0; round < 20; ++round) {
        EXPECT_EQ(printed_by("echo " + std::to_string(i)), std::to_string(i) + '\n');
      }
    });
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(weft::process::open_descriptors(), before);
}

TEST(spawn, each_failure_names_its_step) {
  const scratch_folder folder;
  const auto message = [](errc code, const spawn_options& options) {
    return message_of(code, [&] { child::spawn(options); });
  };
  EXPECT_TRUE(has_text(message(errc::not_found, {.program = "/nowhere/at-all"}), "/nowhere/at-all"));
  EXPECT_TRUE(has_text(message(errc::not_found, {.program = "/bin/true", .directory = "/nowhere"}),
                       "working directory \"/nowhere\""));
  EXPECT_TRUE(has_text(message(errc::refused, {.program = folder.file("plain", "#!/bin/sh\n", 0644)}),
                       "not executable"));
  EXPECT_TRUE(has_text(message(errc::refused, {.program = folder.path}), "is no file"));
  EXPECT_TRUE(has_text(message(errc::malformed, {.program = folder.file("text", "hello\n", 0755)}), "#!"));
  EXPECT_TRUE(has_text(message(errc::not_found, {.program = folder.file("lost", "#!/nowhere/sh\n", 0755)}),
                       "interpreter"));
  EXPECT_TRUE(has_text(message(errc::io_error, {.program = "/bin/true", .descriptors = {{98765, 3}}}),
                       "descriptor 98765 as 3"));
  const std::vector<std::string> long_list{"true", std::string(256 * 1024, 'x')};
  EXPECT_TRUE(
      has_text(message(errc::too_large, {.program = "/bin/true", .arguments = long_list}), "128 KiB"));
}

TEST(spawn, refuses_what_the_system_would_cut_or_misread) {
  const auto refused = [](const spawn_options& options) {
    message_of(errc::invalid_argument, [&] { child::spawn(options); });
  };
  refused({.program = "/bin/true", .arguments = {"true", std::string("a\0b", 3)}});
  refused({.program = "/bin/true", .environment = {"no equals sign"}});
  refused({.program = "/bin/true", .environment = {"=x"}});
  refused({.program = "/bin/true", .descriptors = {{0, -1}}});
}

TEST(spawn, a_failure_leaves_neither_child_nor_descriptor) {
  const auto before = weft::process::open_descriptors();
  message_of(errc::not_found, [] { child::spawn({.program = "/nowhere/at-all"}); });
  EXPECT_EQ(weft::process::open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(find_program, looks_through_the_folders_in_order) {
  const scratch_folder first;
  const scratch_folder second;
  second.file("tool", "#!/bin/sh\n", 0755);
  const std::string path = first.path + ":relative::" + second.path;
  EXPECT_EQ(weft::process::find_program("tool", path), second.path + "/tool");
  first.file("tool", "#!/bin/sh\n", 0755);
  EXPECT_EQ(weft::process::find_program("tool", path), first.path + "/tool");
  EXPECT_EQ(weft::process::find_program("./tool", path), "./tool");
}

TEST(find_program, says_where_it_looked) {
  const scratch_folder folder;
  const auto missing = message_of(errc::not_found, [&] { weft::process::find_program("tool", folder.path); });
  EXPECT_TRUE(has_text(missing, folder.path)) << missing;
  const auto plain = folder.file("tool", "", 0644);
  const auto refused = message_of(errc::refused, [&] { weft::process::find_program("tool", folder.path); });
  EXPECT_TRUE(has_text(refused, plain)) << refused;
  message_of(errc::invalid_argument, [] { weft::process::find_program(""); });
  EXPECT_EQ(weft::process::find_program("sh").front(), '/');
}

}  // namespace
