#include <weft/process/child.hpp>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

namespace {

using namespace std::chrono_literals;
using weft::process::child;
using weft::process::exit_status;

// The read end sees the end of the stream when the child has got as far as its body.
std::string read_all(int fd) {
  std::string text;
  char buffer[256];
  for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

// Runs a shell script with descriptor 3 as the given one.
child shell(const std::string& script, int as_three) {
  return child::spawn({.program = "/bin/sh",
                       .arguments = {"sh", "-c", script},
                       .environment = {"WEFT_TEST=set"},
                       .descriptors = {{as_three, 3}}});
}

TEST(child, a_forked_function_gives_its_status) {
  auto one = child::fork([] { return 7; });
  EXPECT_EQ(one.wait(), exit_status::exited(7));
  EXPECT_EQ(one.wait(), exit_status::exited(7));
}

TEST(child, a_signal_is_told_from_a_status) {
  auto one = child::fork([]() -> int {
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
  });
  const auto status = one.wait();
  EXPECT_TRUE(status.is_signaled());
  EXPECT_EQ(status.value, SIGABRT);
}

TEST(child, an_exception_that_leaves_it_is_status_70) {
  auto one = child::fork([]() -> int { throw weft::error(weft::errc::busy, "no"); });
  EXPECT_EQ(one.wait(), exit_status::exited(70));
}

TEST(child, fork_with_threads_is_refused) {
  auto parked = weft::process::make_pipe();
  std::thread other([&] { read_all(parked.reader.get()); });
  try {
    child::fork([] { return 0; });
    ADD_FAILURE() << "forked";
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::misuse);
  }
  parked.writer.reset();
  other.join();
}

TEST(child, a_fiber_waits_for_it_while_others_run) {
  auto gate = weft::process::make_pipe();
  auto one = child::fork([&] {
    gate.writer.reset();
    read_all(gate.reader.get());
    return 3;
  });
  exit_status status;
  weft::run([&] {
    auto waiting = weft::go([&] { status = one.wait(); });
    weft::yield();
    EXPECT_FALSE(waiting.done());
    gate.writer.reset();
    waiting.join();
  });
  EXPECT_EQ(status, exit_status::exited(3));
}

TEST(child, a_bounded_wait_gives_nothing_while_it_runs) {
  auto one = child::fork([]() -> int {
    ::pause();
    return 0;
  });
  EXPECT_FALSE(one.wait_for(5ms));
  EXPECT_TRUE(one.kill(SIGKILL));
  EXPECT_EQ(one.wait(), exit_status::signaled(SIGKILL));
  EXPECT_FALSE(one.kill(SIGKILL));
}

TEST(child, terminate_kills_what_ignores_the_polite_signal) {
  auto ready = weft::process::make_pipe();
  auto one = child::fork([&]() -> int {
    std::signal(SIGTERM, SIG_IGN);
    ready.writer.reset();
    while (true) ::pause();
  });
  ready.writer.reset();
  read_all(ready.reader.get());
  EXPECT_EQ(one.terminate(20ms), exit_status::signaled(SIGKILL));
}

TEST(child, terminate_is_polite_first) {
  auto one = child::fork([]() -> int {
    ::pause();
    return 0;
  });
  EXPECT_EQ(one.terminate(10s), exit_status::signaled(SIGTERM));
}

TEST(child, a_detached_one_goes_on) {
  auto gate = weft::process::make_pipe();
  auto one = child::fork([&] {
    gate.writer.reset();
    read_all(gate.reader.get());
    return 3;
  });
  const pid_t pid = one.pid();
  one.detach();
  EXPECT_FALSE(one);
  EXPECT_FALSE(one.kill(SIGKILL));
  one = child();
  gate.writer.reset();
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST(child, a_dropped_one_is_killed_and_reaped) {
  pid_t pid = 0;
  {
    auto one = child::fork([]() -> int {
      ::pause();
      return 0;
    });
    pid = one.pid();
  }
  EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), -1);
}

TEST(child, a_spawned_program_gets_its_descriptors_and_environment_only) {
  auto output = weft::process::make_pipe();
  auto stray = weft::process::make_pipe();
  auto one = shell("echo $WEFT_TEST >&3; ls /proc/self/fd | tr '\\n' ' ' >&3", output.writer.get());
  output.writer.reset();
  EXPECT_EQ(read_all(output.reader.get()), "set\n0 1 2 3 4 ");  // 4: the listing itself
  EXPECT_EQ(one.wait(), exit_status::exited(0));
}

TEST(child, spawned_descriptors_may_trade_places) {
  auto first = weft::process::make_pipe();
  auto second = weft::process::make_pipe();
  const int one_number = first.writer.get();
  const int other_number = second.writer.get();
  auto one =
      child::spawn({.program = "/bin/sh",
                    .arguments = {"sh", "-c", "echo a > /proc/self/fd/" + std::to_string(other_number)},
                    .descriptors = {{one_number, other_number}, {other_number, one_number}}});
  EXPECT_EQ(one.wait(), exit_status::exited(0));
  first.writer.reset();
  second.writer.reset();
  EXPECT_EQ(read_all(first.reader.get()), "a\n");
  EXPECT_EQ(read_all(second.reader.get()), "");
}

TEST(child, spawning_a_program_that_is_not_there_names_it) {
  try {
    child::spawn({.program = "/nonexistent/program"});
    ADD_FAILURE() << "spawned";
  } catch (const weft::error& failed) {
    EXPECT_NE(failed.message().find("/nonexistent/program"), std::string::npos);
  }
}

TEST(exit_status, has_words_for_people) {
  EXPECT_EQ(to_string(exit_status::signaled(SIGSEGV, true)), "killed by SIGSEGV (core dumped)");
  EXPECT_EQ(to_string(exit_status::exited(3)), "exit status 3");
  EXPECT_EQ(to_string(exit_status{}), "unknown end");
}

}  // namespace
