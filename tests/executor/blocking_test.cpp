#include <weft/executor/blocking.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <barrier>
#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/metrics/registry.hpp>

#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec tenant_spec{.name = "test.blocking_tenant"};
const weft::key<int> tenant{tenant_spec};

TEST(blocking, gives_the_value_or_the_error_of_its_function) {
  EXPECT_EQ(weft::blocking([] { return 3; }), 3);
  weft::blocking([] {});
  EXPECT_THROW(weft::blocking([]() -> int { throw std::out_of_range("no"); }), std::out_of_range);
}

TEST(blocking, runs_on_another_thread_in_the_callers_context) {
  const weft::scoped_value bound{tenant, 4};
  const auto caller = std::this_thread::get_id();
  EXPECT_NE(weft::blocking([] { return std::this_thread::get_id(); }), caller);
  EXPECT_EQ(weft::blocking([] { return tenant.value_or(0); }), 4);
}

TEST(blocking, is_not_cut_short_and_its_function_sees_the_cancellation) {
  weft::cancel_scope scope;
  scope.cancel();
  EXPECT_TRUE(weft::blocking([] { return weft::cancellation_requested().has_value(); }));
}

TEST(blocking, where_waits_are_forbidden_does_not_start_its_function) {
  std::atomic<bool> ran{false};
  {
    const weft::no_wait_scope here("a transaction");
    EXPECT_THROW(weft::blocking([&] { ran = true; }), weft::error);
  }
  weft::blocking([] {});  // behind the other one, had it been queued
  EXPECT_FALSE(ran);
}

TEST(blocking, calls_from_several_threads_all_get_a_thread) {
  for (int count = 2; count <= 40; ++count) {
    std::barrier<> all_inside(count);
    std::vector<std::thread> callers;
    for (int i = 0; i < count; ++i) {
      callers.emplace_back([&] { weft::blocking([&] { all_inside.arrive_and_wait(); }); });
    }
    for (auto& one : callers) one.join();
  }
}

TEST(blocking_until, gives_the_value_or_the_error_of_its_function) {
  const weft::scoped_value bound{tenant, 4};
  auto owned = std::make_unique<int>(3);
  auto sum = weft::blocking_for(1h, [owned = std::move(owned)] { return *owned + tenant.value_or(0); });
  ASSERT_TRUE(sum);
  EXPECT_EQ(*sum, 7);
  EXPECT_TRUE(weft::blocking_until(weft::no_deadline, [] {}));
  EXPECT_THROW(weft::blocking_for(1h, []() -> int { throw std::out_of_range("no"); }), std::out_of_range);
}

TEST(blocking_until, ends_its_function_before_the_caller_goes_on) {
  for (int i = 0; i < 100; ++i) {
    auto held = std::make_shared<int>(1);
    const std::weak_ptr<int> seen = held;
    EXPECT_TRUE(weft::blocking_for(1h, [held = std::move(held)] {}));
    ASSERT_TRUE(seen.expired());
  }
}

TEST(blocking_until, gives_up_at_its_bound_and_cancels_the_work) {
  // The work may not have begun at a short bound; then it never does, and a longer one is tried.
  for (auto bound = 1ms;; bound *= 2) {
    weft::promise<bool> at_end;
    auto ended = at_end.get_future();
    auto until_unwanted = [at_end = std::move(at_end)]() mutable {
      while (!weft::cancellation_requested()) std::this_thread::yield();
      at_end.set_value(true);
    };
    ASSERT_TRUE(weft::blocking_for(bound, std::move(until_unwanted)).is_timed_out());
    if (ended.get_result()) return;
  }
}

TEST(blocking_until, is_cut_short_by_the_cancellation_of_the_caller_though_its_function_goes_on) {
  const auto begun = std::make_shared<std::latch>(1);
  const auto open = std::make_shared<std::latch>(1);
  weft::promise<bool> at_end;
  auto ended = at_end.get_future();
  weft::cancel_scope scope;
  std::thread canceller([&] {
    begun->wait();
    scope.cancel();
  });
  EXPECT_THROW(weft::blocking_until(weft::no_deadline,
                                    [begun, open, at_end = std::move(at_end)]() mutable {
                                      begun->count_down();
                                      open->wait();
                                      at_end.set_value(weft::cancellation_requested().has_value());
                                    }),
               weft::cancelled);
  canceller.join();
  EXPECT_FALSE(ended.ready());
  open->count_down();
  EXPECT_TRUE(weft::shield([&] { return ended.get(); }));
}

TEST(blocking_until, of_a_cancelled_caller_does_not_begin) {
  std::atomic<bool> ran{false};
  {
    weft::cancel_scope scope;
    scope.cancel();
    EXPECT_THROW(weft::blocking_for(1h, [&] { ran = true; }), weft::cancelled);
  }
  {
    const weft::no_wait_scope here("a transaction");
    EXPECT_THROW(weft::blocking_for(1h, [&] { ran = true; }), weft::error);
  }
  weft::blocking([] {});
  EXPECT_FALSE(ran);
}

/// Only one thread serves blocking calls while it lives.
struct one_thread {
  one_thread() { weft::set_blocking_options({.threads_max = 1}); }
  ~one_thread() { weft::set_blocking_options({}); }
};

TEST(blocking_until, abandoned_work_that_has_not_begun_will_not) {
  const one_thread limit;
  std::latch inside(1);
  std::latch open(1);
  auto first = weft::start_blocking([&] {
    inside.count_down();
    open.wait();
  });
  inside.wait();
  const auto ran = std::make_shared<std::atomic<bool>>(false);
  const auto before = weft::get_blocking_statistics();
  EXPECT_TRUE(weft::blocking_for(1ms, [ran] { *ran = true; }).is_timed_out());
  open.count_down();
  first.get();
  weft::blocking([] {});  // behind it
  EXPECT_FALSE(*ran);
  EXPECT_EQ(ran.use_count(), 1);
  EXPECT_EQ(weft::get_blocking_statistics().started_tasks, before.started_tasks + 2);
}

TEST(blocking_until, abandoning_at_the_moment_it_ends_loses_nothing_but_the_result) {
  for (int i = 0; i < 300; ++i) {
    const auto done = std::make_shared<std::atomic<int>>(0);
    const auto outcome = weft::blocking_for(std::chrono::microseconds(i % 60), [done] { return ++*done; });
    EXPECT_TRUE(outcome.is_timed_out() || *done == 1);
  }
}

TEST(start_blocking, gives_a_future_and_goes_on_without_it) {
  auto sum = weft::start_blocking([] { return 3; });
  EXPECT_EQ(sum.get(), 3);
  std::latch inside(1);
  std::latch open(1);
  std::latch over(1);
  {
    auto dropped = weft::start_blocking([&] {
      inside.count_down();
      open.wait();
      over.count_down();
    });
    inside.wait();
  }
  open.count_down();
  over.wait();
}

TEST(blocking, shows_its_pool_in_the_metrics) {
  const auto read = [](const char* name) {
    const auto now = weft::metrics::default_registry().take_snapshot();
    const auto* const one = now.find(name, {});
    return one == nullptr ? -1 : one->value;
  };
  weft::blocking([] {});
  const double tasks = read("weft_blocking_tasks_total");
  EXPECT_GE(tasks, 1);
  EXPECT_GE(read("weft_blocking_threads"), 1);
  EXPECT_GE(read("weft_blocking_threads_peak"), read("weft_blocking_threads"));
  EXPECT_EQ(read("weft_blocking_tasks_queued"), 0);
  weft::blocking([] {});
  EXPECT_EQ(read("weft_blocking_tasks_total"), tasks + 1);
  const double abandoned = read("weft_blocking_abandoned_tasks_total");
  const auto open = std::make_shared<std::latch>(1);
  EXPECT_TRUE(weft::blocking_for(1ms, [open] { open->wait(); }).is_timed_out());
  open->count_down();
  EXPECT_EQ(read("weft_blocking_abandoned_tasks_total"), abandoned + 1);
}

TEST(blocking, refuses_options_of_nothing) {
  EXPECT_THROW(weft::set_blocking_options({.threads_max = 0}), weft::error);
}

TEST(blocking, a_forked_child_has_a_pool_of_its_own) {
  if (sanitized)
    GTEST_SKIP() << "the thread sanitizer allows no threads in the fork of a process with threads";
  weft::blocking([] {});
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(weft::blocking([] { return 3; }) == 3 && weft::get_blocking_statistics().started_tasks == 1 ? 0
                                                                                                      : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
