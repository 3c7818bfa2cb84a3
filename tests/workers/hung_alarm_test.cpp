// The alarm alone: what it ends, and what it leaves.

#include "workers/hung_alarm.hpp"

#include <chrono>
#include <csignal>
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

constexpr auto call_time = 100s;
constexpr auto between_calls = 100ms;

// When it rings, or a little later.
steady_clock::time_point rings_at(const hung_alarm& alarm) {
  const auto left = alarm.rings_in();
  EXPECT_GT(left, 0ns);
  return steady_clock::now() + left;
}

// ::sleep() and the like would end early.
TEST(hung_alarm, does_not_interrupt_a_call_that_runs_when_an_earlier_one_would_have_been_over) {
  hung_alarm alarm(call_time, nullptr, 0ns);
  { const hung_alarm::watch earlier(alarm); }
  std::this_thread::sleep_for(between_calls);
  const auto began = steady_clock::now();
  const hung_alarm::watch watched(alarm);
  EXPECT_GE(rings_at(alarm), began + call_time);
}

TEST(hung_alarm, does_not_interrupt_one_of_two_calls_when_the_other_would_have_been_over) {
  hung_alarm alarm(call_time, nullptr, 0ns);
  auto earlier = std::make_unique<hung_alarm::watch>(alarm);
  std::this_thread::sleep_for(between_calls);
  const auto began = steady_clock::now();
  const hung_alarm::watch watched(alarm);
  EXPECT_LT(alarm.rings_in(), call_time);  // the first one's
  earlier.reset();
  EXPECT_GE(rings_at(alarm), began + call_time);
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
