// Waking a fiber whose loop is awake costs no system call, neither on the side of the waker nor on that of
// the loop: both threads run under a filter of the kernel that kills the process at the first one.

#include <weft/fiber/parker.hpp>

#include <gtest/gtest.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <thread>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "support/sanitized.hpp"

namespace {

/// From here on the calling thread may end the process, read the clock (where that is no system call
/// anyway, and elsewhere is none of a wake), give up its core for one who holds a lock, and nothing else.
void forbid_system_calls() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_yield, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{sizeof filter / sizeof filter[0], filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
    _exit(3);
  }
}

constexpr int wakes = 1000;

/// A plain thread wakes a fiber `wakes` times, each time after it has parked again, while another
/// fiber keeps the loop awake. Ends the process with 0.
[[noreturn]] void wake_from_a_thread() {
  std::atomic<int> seen{0};
  std::atomic<bool> ready{false};
  weft::parker seat;
  std::thread waker([&] {
    while (!ready) std::this_thread::yield();
    forbid_system_calls();
    for (int n = 0; n < wakes; ++n) {
      seat.unpark();
      while (seen.load() == n) std::this_thread::yield();
    }
    for (;;) std::this_thread::yield();
  });
  weft::run([&] {
    forbid_system_calls();
    auto sleeper = weft::go([&] {
      for (int n = 0; n < wakes; ++n) {
        seat.park();
        ++seen;
      }
    });
    ready = true;
    while (seen < wakes) weft::yield();
    _exit(0);
  });
  _exit(4);
}

/// The same between two loops: each wake crosses from one to the other, and both are awake.
[[noreturn]] void wake_between_loops() {
  std::atomic<int> apart{0};
  std::atomic<bool> over{false};
  std::atomic<int> turn{0};
  weft::parker seats[2];
  weft::run(
      [&] {
        const auto play = [&](int me) {
          ++apart;
          while (apart < 2) {  // holds its thread until the other one has begun elsewhere
          }
          auto busy = weft::go([&] {  // keeps the loop awake
            while (!over) weft::yield();
          });
          weft::yield();
          forbid_system_calls();
          for (int n = 0; n < wakes; ++n) {
            while (turn.load() % 2 != me) seats[me].park();
            ++turn;
            seats[1 - me].unpark();
          }
          if (turn == 2 * wakes) _exit(0);
          for (;;) weft::yield();
        };
        auto one = weft::go([&] { play(0); });
        auto two = weft::go([&] { play(1); });
        one.join();
      },
      {.threads = 2});
  _exit(4);
}

TEST(wake, from_a_plain_thread_is_no_system_call_while_the_loop_is_awake) {
  if (sanitized) GTEST_SKIP() << "a sanitizer makes system calls of its own";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(wake_from_a_thread(), testing::ExitedWithCode(0), "");
}

TEST(wake, between_two_loops_is_no_system_call_while_both_are_awake) {
  if (sanitized) GTEST_SKIP() << "a sanitizer makes system calls of its own";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(wake_between_loops(), testing::ExitedWithCode(0), "");
}

TEST(wake, of_a_sleeping_loop_is_seen_by_the_filter_so_the_filter_works) {
  if (sanitized) GTEST_SKIP() << "a sanitizer makes system calls of its own";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto wake_a_sleeper = [] {
    std::atomic<bool> parked{false};
    weft::external_waker waker;
    std::thread other([&] {
      while (!parked) std::this_thread::yield();
      usleep(50'000);  // for the loop to lie down; where it has not, the next wake meets it asleep
      forbid_system_calls();
      for (;;) waker.wake();
    });
    weft::run([&] {
      parked = true;
      for (;;) waker.wait();
    });
    _exit(4);
  };
  EXPECT_EXIT(wake_a_sleeper(), testing::KilledBySignal(SIGSYS), "");
}

}  // namespace
