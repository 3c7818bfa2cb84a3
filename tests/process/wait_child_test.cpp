#include <weft/process/wait_child.hpp>

#include <array>
#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "support/expect_error.hpp"
#include "support/in_fiber_and_thread.hpp"

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::process::child;
using weft::process::exit_status;

/// A child that weft did not start. It ends by itself with `status`, or waits to be killed.
pid_t started_elsewhere(int status) {
  const pid_t pid = fork();
  if (pid == 0) {
    while (status < 0) pause();
    _exit(status);
  }
  return pid;
}

TEST(wait_child, gives_the_end_of_a_child_started_elsewhere) {
  in_fiber_and_thread([] {
    EXPECT_EQ(weft::wait_child(started_elsewhere(3)), exit_status::exited(3));
    const pid_t waits = started_elsewhere(-1);
    EXPECT_EQ(weft::wait_child_for(waits, 2ms), std::nullopt);
    ASSERT_EQ(kill(waits, SIGKILL), 0);
    EXPECT_EQ(weft::wait_child(waits), exit_status::signaled(SIGKILL));
  });
}

TEST(wait_child, finds_one_that_has_ended_before) {
  in_fiber_and_thread([] {
    const pid_t pid = started_elsewhere(4);
    siginfo_t info{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(weft::wait_child_for(pid, 0ms), exit_status::exited(4));
    message_of(errc::not_found, [&] { weft::wait_child(pid); });
  });
}

TEST(wait_child, cancelled_leaves_the_child) {
  weft::testing::run([] {
    const pid_t pid = started_elsewhere(-1);
    auto waits = weft::go([&] { weft::wait_child(pid); });
    weft::yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    ASSERT_EQ(kill(pid, SIGTERM), 0);
    EXPECT_EQ(weft::wait_child(pid), exit_status::signaled(SIGTERM));
  });
}

TEST(wait_child, refuses_processes_that_are_no_children) {
  in_fiber_and_thread([] {
    const auto text = message_of(errc::not_found, [] { weft::wait_child(getpid()); });
    EXPECT_TRUE(has_text(text, std::to_string(getpid()))) << text;
    for (const pid_t none : {0, -1, -getpid()}) {
      message_of(errc::invalid_argument, [&] { weft::wait_child(none); });
    }
  });
}

TEST(wait_any_child, gives_the_first_to_end) {
  in_fiber_and_thread([] {
    child slow = child::spawn({.program = "/bin/sleep", .arguments = {"sleep", "1000"}});
    child quick = child::spawn({.program = "/bin/sh", .arguments = {"sh", "-c", "exit 6"}});
    std::array<child*, 2> both{&slow, &quick};
    EXPECT_EQ(weft::wait_any_child(both), 1U);
    EXPECT_EQ(quick.try_wait(), exit_status::exited(6));
    std::array<child*, 1> one{&slow};
    EXPECT_EQ(weft::wait_any_child_for(one, 2ms), std::nullopt);
    message_of(errc::invalid_argument, [] { weft::wait_any_child({}); });
    std::array<child*, 1> none{nullptr};
    message_of(errc::invalid_argument, [&] { weft::wait_any_child(none); });
  });
}

}  // namespace
