// The alarm alone: what it ends, and what it leaves.

#include "workers/hung_alarm.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <thread>

#include <gtest/gtest.h>
#include <poll.h>

namespace {

using std::chrono::steady_clock;
using weft::workers::detail::hung_alarm;
using namespace std::chrono_literals;

[[noreturn]] void spin() {
  for (;;) static_cast<void>(steady_clock::now());
}

TEST(hung_alarm, ends_the_process_of_a_call_that_never_ends) {
  EXPECT_EXIT(
      {
        hung_alarm alarm(50ms);
        const hung_alarm::watch watched(alarm);
        spin();
      },
      testing::KilledBySignal(SIGALRM), "");
}

TEST(hung_alarm, looks_at_a_call_that_began_after_many_others) {
  EXPECT_EXIT(
      {
        hung_alarm alarm(50ms);
        for (int i = 0; i < 1000; ++i) const hung_alarm::watch watched(alarm);
        const hung_alarm::watch watched(alarm);
        spin();
      },
      testing::KilledBySignal(SIGALRM), "");
}

TEST(hung_alarm, looks_at_a_call_that_began_after_it_rang_for_nobody) {
  EXPECT_EXIT(
      {
        hung_alarm alarm(10ms);
        { const hung_alarm::watch watched(alarm); }
        const auto rang = steady_clock::now() + 30ms;
        while (steady_clock::now() < rang) {
        }
        const hung_alarm::watch watched(alarm);
        spin();
      },
      testing::KilledBySignal(SIGALRM), "");
}

TEST(hung_alarm, looks_at_the_second_of_two_calls) {
  EXPECT_EXIT(
      {
        hung_alarm alarm(50ms);
        auto first = std::make_unique<hung_alarm::watch>(alarm);
        const hung_alarm::watch second(alarm);
        first.reset();
        spin();
      },
      testing::KilledBySignal(SIGALRM), "");
}

// Together they take longer than one may.
TEST(hung_alarm, leaves_calls_that_end_in_time) {
  hung_alarm alarm(3s);
  const auto end = steady_clock::now() + 4s;
  while (steady_clock::now() < end) {
    const hung_alarm::watch first(alarm);
    const hung_alarm::watch second(alarm);
    std::this_thread::yield();
  }
}

// As ::sleep() and the like would be.
TEST(hung_alarm, does_not_interrupt_a_call_that_runs_when_an_earlier_one_would_have_been_over) {
  constexpr auto time = 11s;
  hung_alarm alarm(time);
  const auto began = steady_clock::now();
  { const hung_alarm::watch earlier(alarm); }
  const auto just_before = began + time - 200ms;
  std::this_thread::sleep_until(just_before);
  const hung_alarm::watch watched(alarm);
  while (steady_clock::now() < began + time + 500ms) {
    ASSERT_EQ(::poll(nullptr, 0, 100), 0) << std::strerror(errno);
  }
}

TEST(hung_alarm, does_not_interrupt_one_of_two_calls_when_the_other_would_have_been_over) {
  constexpr auto time = 12s;
  hung_alarm alarm(time);
  auto earlier = std::make_unique<hung_alarm::watch>(alarm);
  const auto began = steady_clock::now();
  std::this_thread::sleep_until(began + time / 2);
  const hung_alarm::watch watched(alarm);
  earlier.reset();
  while (steady_clock::now() < began + time + 1s) {
    ASSERT_EQ(::poll(nullptr, 0, 100), 0) << std::strerror(errno);
  }
}

TEST(hung_alarm, interrupts_no_other_thread) {
  hung_alarm alarm(50ms);
  { const hung_alarm::watch watched(alarm); }  // and the alarm rings when nothing runs
  sigset_t just_alarm;
  ::sigemptyset(&just_alarm);
  ::sigaddset(&just_alarm, SIGALRM);
  ::pthread_sigmask(SIG_BLOCK, &just_alarm, nullptr);  // here
  int waited = -1;
  std::thread([&] {
    ::pthread_sigmask(SIG_UNBLOCK, &just_alarm, nullptr);
    waited = ::poll(nullptr, 0, 500);
  }).join();
  EXPECT_EQ(waited, 0);
  ::pthread_sigmask(SIG_UNBLOCK, &just_alarm, nullptr);
}

TEST(hung_alarm, leaves_a_signal_of_somebody_else_as_it_is) {
  EXPECT_EXIT(
      {
        hung_alarm alarm(100s);
        ::raise(SIGALRM);
        ::pause();
      },
      testing::KilledBySignal(SIGALRM), "");
}

TEST(hung_alarm, gives_the_signal_back) {
  struct sigaction before {};
  ::sigaction(SIGALRM, nullptr, &before);
  { const hung_alarm alarm(100s); }
  struct sigaction after {};
  ::sigaction(SIGALRM, nullptr, &after);
  EXPECT_EQ(after.sa_handler, before.sa_handler);
}

TEST(hung_alarm, of_no_time_does_nothing) {
  hung_alarm alarm(0ns);
  const hung_alarm::watch watched(alarm);
}

}  // namespace
