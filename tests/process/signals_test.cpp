#include <weft/process/signals.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/process/exec.hpp>
#include <weft/process/self.hpp>

#include "support/expect_error.hpp"

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::process::signal_watch;

TEST(signal_watch, a_fiber_waits_for_a_signal_and_the_program_goes_on) {
  signal_watch watch({SIGUSR1, SIGUSR2});
  weft::run([&] {
    auto waits = weft::go([&] { return watch.wait(); });
    weft::yield();
    EXPECT_FALSE(waits.done());
    ASSERT_EQ(raise(SIGUSR2), 0);
    EXPECT_EQ(waits.join(), SIGUSR2);
  });
}

TEST(signal_watch, keeps_a_signal_that_comes_before_the_wait) {
  signal_watch watch({SIGUSR1, SIGUSR2});
  EXPECT_EQ(watch.try_wait(), std::nullopt);
  ASSERT_EQ(raise(SIGUSR2), 0);
  ASSERT_EQ(raise(SIGUSR1), 0);
  ASSERT_EQ(raise(SIGUSR1), 0);
  const std::set<int> both{watch.wait(), watch.wait()};
  EXPECT_EQ(both, (std::set<int>{SIGUSR1, SIGUSR2}));
  EXPECT_EQ(watch.try_wait(), std::nullopt) << "one that comes twice is kept once";
}

TEST(signal_watch, a_cancelled_wait_leaves_the_signal_for_the_next_one) {
  signal_watch watch({SIGUSR1});
  weft::run([&] {
    auto waits = weft::go([&] { watch.wait(); });
    weft::yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    ASSERT_EQ(raise(SIGUSR1), 0);
    weft::cancel_scope given_up;
    given_up.cancel();
    EXPECT_THROW(watch.wait(), weft::cancelled);
    EXPECT_EQ(weft::shield([&] { return watch.wait(); }), SIGUSR1);
  });
}

TEST(signal_watch, a_bounded_wait_ends_at_its_bound) {
  signal_watch watch({SIGUSR1});
  EXPECT_EQ(watch.wait_for(2ms), std::nullopt);
  weft::run([&] { EXPECT_EQ(watch.wait_for(2ms), std::nullopt); });
}

TEST(signal_watch, each_watch_gets_the_signal) {
  signal_watch one({SIGUSR1});
  signal_watch other({SIGUSR1, SIGUSR2});
  ASSERT_EQ(raise(SIGUSR1), 0);
  EXPECT_EQ(one.wait(), SIGUSR1);
  EXPECT_EQ(other.wait(), SIGUSR1);
}

TEST(signal_watch, a_second_waiter_of_one_watch_is_refused) {
  signal_watch watch({SIGUSR1});
  weft::run([&] {
    auto first = weft::go([&] { watch.wait(); }, {.name = "first-waiter"});
    weft::yield();
    const auto text = message_of(errc::busy, [&] { watch.wait(); });
    EXPECT_TRUE(has_text(text, "first-waiter")) << text;
    ASSERT_EQ(raise(SIGUSR1), 0);
    first.join();
  });
}

TEST(signal_watch, catches_what_any_thread_gets) {
  std::atomic<bool> go_on{true};
  std::thread older([&] {
    while (go_on) std::this_thread::yield();
  });
  signal_watch watch({SIGUSR1});
  ASSERT_EQ(pthread_kill(older.native_handle(), SIGUSR1), 0);
  EXPECT_EQ(watch.wait(), SIGUSR1);
  go_on = false;
  older.join();
}

TEST(signal_watch, hears_a_signal_that_its_thread_had_blocked) {
  sigset_t blocked;
  sigset_t former;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, &former);
  {
    signal_watch watch({SIGUSR1});
    ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
    EXPECT_EQ(watch.wait(), SIGUSR1);
  }
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, &former, &after);
  EXPECT_EQ(sigismember(&after, SIGUSR1), 1);
}

std::atomic<int> seen_by_the_program{0};

TEST(signal_watch, gives_the_signal_back_at_its_end) {
  struct sigaction own {};
  struct sigaction former {};
  own.sa_handler = [](int signal) { seen_by_the_program = signal; };
  sigaction(SIGUSR1, &own, &former);
  {
    signal_watch outer({SIGUSR1});
    { const signal_watch inner({SIGUSR1}); }
    ASSERT_EQ(raise(SIGUSR1), 0);
    EXPECT_EQ(outer.wait(), SIGUSR1);
  }
  EXPECT_EQ(seen_by_the_program, 0);
  ASSERT_EQ(raise(SIGUSR1), 0);
  EXPECT_EQ(seen_by_the_program, SIGUSR1);
  seen_by_the_program = 0;
  sigaction(SIGUSR1, &former, nullptr);
}

TEST(signal_watch, a_program_that_is_run_meanwhile_gets_the_default_action) {
  const signal_watch watch({SIGTERM, SIGUSR1});
  weft::run([] {
    EXPECT_EQ(weft::exec(weft::process::shell("kill -USR1 $$; echo not reached")).status,
              weft::process::exit_status::signaled(SIGUSR1));
  });
}

TEST(signal_watch, a_forked_child_can_still_be_ended) {
  signal_watch watch({SIGTERM});
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  ASSERT_EQ(kill(child, SIGTERM), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  EXPECT_EQ(watch.try_wait(), std::nullopt);
}

TEST(signal_watch, refuses_what_cannot_be_waited_for_and_says_why) {
  const auto text_for = [](int signal) {
    return message_of(errc::invalid_argument, [&] { const signal_watch watch({signal}); });
  };
  EXPECT_TRUE(has_text(text_for(SIGCHLD), "wait_child"));
  EXPECT_TRUE(has_text(text_for(SIGKILL), "SIGKILL"));
  EXPECT_TRUE(has_text(text_for(SIGSTOP), "cannot be caught"));
  EXPECT_TRUE(has_text(text_for(SIGSEGV), "fault"));
  for (const int out_of_range : {-1, 0, 32, 33, SIGRTMAX + 1, 1'000'000}) text_for(out_of_range);
  message_of(errc::invalid_argument, [] { const signal_watch watch({}); });
}

TEST(signal_watch, has_a_bound_and_leaves_no_descriptor) {
  const auto before = weft::process::open_descriptors();
  {
    std::vector<std::unique_ptr<signal_watch>> all;
    while (all.size() < signal_watch::watches_max) {
      all.push_back(std::make_unique<signal_watch>(std::initializer_list<int>{SIGUSR1}));
    }
    message_of(errc::resource_exhausted, [] { const signal_watch watch({SIGUSR1}); });
    ASSERT_EQ(raise(SIGUSR1), 0);
    for (const auto& one : all) EXPECT_EQ(one->wait(), SIGUSR1);
  }
  EXPECT_EQ(weft::process::open_descriptors(), before);
}

TEST(signal_watch, comes_and_goes_while_signals_arrive) {
  const signal_watch outer({SIGUSR1});  // so that none is fatal
  std::atomic<bool> go_on{true};
  std::thread sender([&] {
    while (go_on) kill(getpid(), SIGUSR1);
  });
  for (int round = 0; round < 300; ++round) {
    signal_watch watch({SIGUSR1, SIGUSR2});
    EXPECT_EQ(watch.wait(), SIGUSR1);
  }
  go_on = false;
  sender.join();
}

TEST(wait_signal, wakes_everybody_who_waits_for_it) {
  weft::run([] {
    auto one = weft::go([] { return weft::wait_signal(SIGUSR1); });
    auto other = weft::go([] { return weft::wait_signal({SIGUSR1, SIGUSR2}); });
    weft::yield();
    EXPECT_FALSE(one.done() || other.done());
    ASSERT_EQ(raise(SIGUSR1), 0);
    EXPECT_EQ(one.join(), SIGUSR1);
    EXPECT_EQ(other.join(), SIGUSR1);
  });
}

TEST(wait_signal, has_a_bound_and_can_be_cancelled) {
  weft::run([] {
    EXPECT_EQ(weft::wait_signal_for({SIGUSR1}, 2ms), std::nullopt);
    auto waits = weft::go([] { weft::wait_signal(SIGUSR1); });
    weft::yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    message_of(errc::invalid_argument, [] { weft::wait_signal(SIGCHLD); });
  });
}

TEST(wait_signal, comes_in_time_to_every_loop) {
  weft::run(
      [] {
        auto one = weft::go([] { return weft::wait_signal_for({SIGUSR1}, 1h); });
        while (!one.done()) {
          struct sigaction now {};
          sigaction(SIGUSR1, nullptr, &now);
          if (now.sa_handler != SIG_DFL) raise(SIGUSR1);
          weft::sleep_for(1ms);
        }
        EXPECT_EQ(one.join(), SIGUSR1);
      },
      {.threads = 2});
}

}  // namespace
