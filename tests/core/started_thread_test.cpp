#include <weft/core/started_thread.hpp>

#include <gtest/gtest.h>

#include <pthread.h>
#include <signal.h>
#include <array>
#include <future>

#include <weft/core/error.hpp>

#include "core/still_oracle.hpp"

namespace weft::detail {
namespace {

bool is_blocked(int signal) {
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  return sigismember(&now, signal) == 1;
}

TEST(started_thread, runs_its_function_on_a_thread_that_bears_the_name) {
  std::array<char, 16> name{};
  std::promise<void> started;
  started_thread one("a name longer than the kernel's", thread_signals::inherited, [&] {
    started.get_future().wait();
    pthread_getname_np(pthread_self(), name.data(), name.size());
  });
  started.set_value();
  EXPECT_TRUE(one.joinable());
  one.join();
  EXPECT_FALSE(one.joinable());
  EXPECT_STREQ(name.data(), "a name longer t");
}

TEST(started_thread, takes_no_signals_but_faults_where_they_are_blocked) {
  bool user = false, fault = true;
  started_thread one("quiet", thread_signals::blocked, [&] {
    user = is_blocked(SIGUSR1);
    fault = is_blocked(SIGSEGV);
  });
  one.join();
  EXPECT_TRUE(user);
  EXPECT_FALSE(fault);
  EXPECT_FALSE(is_blocked(SIGUSR1));
}

TEST(started_thread, has_the_signals_of_who_started_it_where_they_are_inherited) {
  bool user = true;
  started_thread("open", thread_signals::inherited, [&] { user = is_blocked(SIGUSR1); }).join();
  EXPECT_FALSE(user);
}

TEST(started_thread, is_counted_until_it_ends) {
  EXPECT_EQ(started_thread::count(), 0U);
  std::promise<void> gate;
  started_thread one("one", thread_signals::blocked, [&] { gate.get_future().wait(); });
  EXPECT_EQ(started_thread::count(), 1U);
  gate.set_value();
  one.join();
  EXPECT_EQ(started_thread::count(), 0U);
}

TEST(started_thread, that_was_detached_goes_on) {
  std::promise<void> ran;
  started_thread one("one", thread_signals::inherited, [&] { ran.set_value(); });
  one.detach();
  EXPECT_FALSE(one.joinable());
  ran.get_future().wait();
}

TEST(started_thread, in_a_simulation_is_the_oracles) {
  still_oracle simulated;
  bool ran = false;
  started_thread one("one", thread_signals::blocked, [&] { ran = true; });
  EXPECT_EQ(simulated.started, std::vector<std::string>{"one"});
  EXPECT_TRUE(one.joinable());
  EXPECT_FALSE(ran);
  EXPECT_EQ(started_thread::count(), 0U);
  one.join();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace weft::detail
