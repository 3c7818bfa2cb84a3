// What a process may do that was forked inside weft::run: exec or _exit; anything else is said to be wrong.

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <string>

#include <weft/core/unwinding.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/fiber/run.hpp>

#include "support/descriptors.hpp"
#include "support/expect_error.hpp"

namespace {

using namespace std::chrono_literals;
using weft::errc;

constexpr int fine = 0;
constexpr int wrong = 1;
constexpr int ended_by_weft = 70;

/// Forks; the child runs `body` and ends with what it returns, if it gets there.
template <typename Body>
pid_t fork_with(Body body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  return pid;
}

int status_of(pid_t pid) {
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

/// Does `wait` fail as it must in a forked child?
template <typename Wait>
bool is_refused(Wait&& wait) {
  try {
    wait();
  } catch (const weft::error& refused) {
    return refused.code() == errc::misuse && has_text(refused.message(), "forked inside weft::run");
  } catch (const weft::unwinding&) {
  }
  return false;
}

TEST(fork_in_a_fiber, every_kind_of_wait_fails_in_the_child) {
  weft::run([] {
    test_pipe pipe;
    weft::channel<int> empty(1);
    auto other = weft::go([&] { empty.pop(); });
    const pid_t child = fork_with([&] {
      const bool all = is_refused([&] { empty.pop(); }) && is_refused([] { weft::yield(); }) &&
                       is_refused([] { weft::sleep_for(1ms); }) && is_refused([&] { other.join(); }) &&
                       is_refused([&] { weft::wait_readable(pipe.reader.get()); }) &&
                       is_refused([&] { weft::io_handle{pipe.reader.get()}; }) &&
                       is_refused([] { weft::go_now([] {}); });
      return all ? fine : wrong;
    });
    EXPECT_EQ(status_of(child), fine);
    empty.close();
    other.join();
  });
}

TEST(fork_in_a_fiber, what_ends_in_the_child_leaves_the_parents_descriptors_registered) {
  weft::run([] {
    socket_pair pair;
    auto handle = std::make_unique<weft::io_handle>(pair.here.get());
    handle->mark_not_readable();
    auto reads = weft::go([&] { handle->wait_readable(); });
    weft::yield();
    const pid_t child = fork_with([&] {
      handle.reset();
      return fine;
    });
    EXPECT_EQ(status_of(child), fine);
    EXPECT_FALSE(reads.done());
    put(pair.there.get(), "x");
    reads.join();
  });
}

TEST(fork_in_a_fiber, a_child_whose_fiber_ends_is_ended_and_runs_nobody_else) {
  test_pipe errors;
  test_pipe others;
  pid_t child = -1;
  weft::run([&] {
    auto forks = weft::go([&] {
      child = fork();
      if (child == 0) dup2(errors.writer.get(), STDERR_FILENO);
    });
    auto other = weft::go([&] { put(others.writer.get(), "x"); });
    forks.join();
    other.join();
  });
  EXPECT_EQ(status_of(child), ended_by_weft);
  EXPECT_EQ(drain(others.reader.get()), 1U);
  // A sanitizer, which does not follow fibers into a forked child, may have spoken as well.
  std::string text(64 * 1024, '\0');
  EXPECT_GT(read(errors.reader.get(), text.data(), text.size()), 0);
  EXPECT_TRUE(has_text(text, "may only exec or _exit")) << text;
}

TEST(fork_in_a_fiber, a_child_that_leaves_the_run_is_ended) {
  test_pipe errors;
  pid_t child = -1;
  weft::run([&] {
    child = fork();
    if (child == 0) dup2(errors.writer.get(), STDERR_FILENO);
  });
  if (child == 0) _exit(wrong);
  EXPECT_EQ(status_of(child), ended_by_weft);
}

TEST(fork_in_a_fiber, a_child_may_exec) {
  weft::run([] {
    const pid_t child = fork_with([] {
      execl("/bin/sh", "sh", "-c", "exit 7", nullptr);
      return wrong;
    });
    EXPECT_EQ(status_of(child), 7);
  });
}

TEST(fork_of_a_plain_thread, may_run_fibers_of_its_own) {
  weft::run([] {});
  const pid_t child = fork_with([] {
    test_pipe pipe;
    return weft::run([&] {
      auto reads = weft::go([&] { weft::wait_readable(pipe.reader.get()); });
      weft::yield();
      if (write(pipe.writer.get(), "x", 1) != 1) return wrong;
      reads.join();
      return fine;
    });
  });
  EXPECT_EQ(status_of(child), fine);
}

}  // namespace
