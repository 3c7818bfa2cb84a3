// Where Asynchronizer and CompletableFuture lose the context or mix it up, and weft does not. The table of
// docs/context.md names these tests.

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/executor/futures.hpp>
#include <weft/executor/invoke.hpp>
#include <weft/executor/scheduled_pool.hpp>
#include <weft/executor/thread.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "support/uncaught_errors.hpp"

namespace {

using namespace std::chrono_literals;
using weft::future;

constexpr weft::key_spec user_spec{.name = "test.holes_user"};
const weft::key<int> user{user_spec};

int seen() { return user.value_or(0); }

/// Registers with user 1 what `attach` makes of a pending future, and completes that with user 2.
template <typename Attach>
int seen_after_completion(Attach attach) {
  auto [in, out] = weft::contract<int>();
  auto looked = weft::with(user, 1, [&] { return attach(std::move(out)); });
  weft::with(user, 2, [&] { in.set_value(0); });
  return looked.get();
}

TEST(context_holes, h1_what_is_attached_to_a_pending_future_sees_who_attached_it) {
  EXPECT_EQ(seen_after_completion([](future<int> of) { return of.then(seen); }), 1);
  EXPECT_EQ(seen_after_completion([](future<int> of) { return of.tap([](auto&) {}).then(seen); }), 1);
  weft::run([] { EXPECT_EQ(seen_after_completion([](future<int> of) { return of.then(seen); }), 1); });
}

TEST(context_holes, h2_what_comes_after_a_time_sees_who_armed_it) {
  const weft::scoped_value mine(user, 1);
  weft::promise<int> never;
  EXPECT_EQ(weft::sleep(1ms).then(seen).get(), 1);
  EXPECT_EQ(never.get_future().timeout(1ms).or_else(seen).get(), 1);
  weft::promise<int> neither;
  EXPECT_EQ(neither.get_future().timeout_or(1ms, 0).then([](int) { return seen(); }).get(), 1);
}

TEST(context_holes, h3_an_inline_continuation_sees_who_attached_it_and_not_who_completes) {
  EXPECT_EQ(seen_after_completion([](future<int> of) { return of.then_inline(seen); }), 1);
  auto [in, out] = weft::contract<int>();
  auto looked = weft::with(user, 1, [&] { return out.then_inline(seen); });
  const weft::scoped_value completer(user, 2);
  in.set_value(0);
  EXPECT_EQ(seen(), 2);
  EXPECT_EQ(looked.get(), 1);
}

TEST(context_holes, h4_what_is_started_sees_who_started_it_on_the_executor_that_was_named) {
  weft::thread_pool pool{{.threads = 1, .name = "named"}};
  const weft::scoped_value mine(user, 1);
  const auto where = [] { return std::to_string(seen()) + std::string(weft::current_executor().name()); };
  EXPECT_EQ(weft::async(pool, where).get(), "1named");
  EXPECT_EQ(weft::async(where).get(), "1" + std::string(weft::current_executor().name()));
  const future<int> typed = weft::async(seen);  // its own type, not one that must be cast
}

TEST(context_holes, h5_each_of_several_tasks_sees_who_submitted_them) {
  weft::thread_pool pool{{.threads = 2}};
  const weft::scoped_value mine(user, 1);
  std::vector<int (*)()> tasks(4, seen);
  for (const int one : weft::invoke_all(pool, tasks)) EXPECT_EQ(one, 1);
  EXPECT_EQ(weft::invoke_any(pool, std::move(tasks)).value, 1);
}

TEST(context_holes, h6_a_bare_thread_sees_who_made_it) {
  int there = 0;
  {
    const weft::scoped_value mine(user, 1);
    weft::thread([&] { there = seen(); }).join();
  }
  EXPECT_EQ(there, 1);
}

TEST(context_holes, h7_a_tick_does_not_see_what_the_one_before_it_wrote) {
  weft::scheduled_pool pool;
  std::vector<int> ticks;
  const weft::scoped_value mine(user, 1);
  std::latch three(3);
  auto task = pool.at_fixed_rate(1ms, 1ms, [&] {
    if (ticks.size() == 3) return;
    ticks.push_back(seen());
    weft::assign(user, 9);
    three.count_down();
  });
  three.wait();
  task.cancel();
  task.wait();
  EXPECT_EQ(ticks, (std::vector<int>{1, 1, 1}));
}

TEST(context_holes, h8_one_capture_in_many_threads_stays_what_it_was) {
  const weft::context taken = weft::with(user, 1, [] { return weft::context::capture(); });
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int n = 2; n < 6; ++n) {
    threads.emplace_back([&, n] {
      for (int round = 0; round < 2000; ++round) {
        const auto here = taken.attach();
        if (seen() != 1) ++wrong;
        const weft::scoped_value own(user, n);
        weft::assign(user, n + 10);
        if (seen() != n + 10 || taken.run(seen) != 1) ++wrong;
      }
    });
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(context_holes, h9_the_context_is_there_after_a_pipeline_became_a_future) {
  const weft::scoped_value mine(user, 1);
  const auto pipeline = [](int step) {
    if (step == 0) return seen();  // early exit
    auto next = weft::async([step] { return step + seen(); });
    return next.get() + seen();
  };
  for (const int step : {0, 1}) {
    auto made = weft::async([&] { return pipeline(step); });
    EXPECT_EQ(made.then([](int) { return seen(); }).get(), 1);
    EXPECT_EQ(seen(), 1);
  }
}

TEST(context_holes, a_failing_all_of_is_told_of_only_where_nobody_takes_it_and_then_once) {
  const uncaught_errors told(seen);
  weft::thread_pool pool{{.threads = 1}};
  const auto fail = []() -> int { throw std::runtime_error("lost"); };
  const auto both = [&] { return weft::when_all(pool.submit(fail), pool.submit(fail)); };
  EXPECT_EQ(both().then([](auto) { return 0; }).or_else([] { return 5; }).get(), 5);
  pool.submit([] {}).get();
  EXPECT_TRUE(told.all().empty());
  weft::with(user, 1, [&] { both().wait(); });
  pool.shutdown(1min);  // its thread may have had the last reference
  ASSERT_EQ(told.all().size(), 1U);
  EXPECT_EQ(told.all()[0].mark, 1);
}

TEST(context_holes, all_of_on_one_thread_does_not_deadlock) {
  weft::thread_pool pool{{.threads = 1}};
  auto sum = pool.submit([&] {
    return weft::when_all(pool.submit([] { return 1; }), pool.submit([] { return 2; }))
        .on(pool)
        .then([](std::tuple<int, int> both) { return std::get<0>(both) + std::get<1>(both); });
  });
  EXPECT_EQ(sum.get().get(), 3);
}

TEST(context_holes, a_handler_of_errors_runs_in_the_context_of_what_failed) {
  const uncaught_errors told(seen);
  weft::thread_pool pool{{.threads = 1}};
  weft::with(user, 1, [&] { pool.post([] { throw std::runtime_error("lost"); }); });
  pool.shutdown(1min);
  ASSERT_EQ(told.all().size(), 1U);
  EXPECT_EQ(told.all()[0].mark, 1);
}

}  // namespace
