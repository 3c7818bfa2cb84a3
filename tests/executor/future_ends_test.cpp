// How futures end: what they refuse to wait for, what they let go of, and where an error is said to be from.

#include <weft/executor/futures.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/executor/thread_pool.hpp>

#include "support/uncaught_errors.hpp"

namespace {

using namespace std::chrono_literals;
using weft::future;

constexpr weft::key_spec user_spec{.name = "test.future_ends_user"};
const weft::key<int> user{user_spec};

/// What waiting says inside of a task of a pool of one thread, for the future that `make` gives there.
template <typename Make>
weft::errc inside_of_one_thread(Make make) {
  weft::thread_pool pool{{.threads = 1}};
  return pool
      .submit([&] {
        try {
          make().get();
        } catch (const weft::error& thrown) {
          return thrown.code();
        }
        return weft::errc::unknown;
      })
      .get();
}

TEST(future_ends, a_wait_for_what_is_queued_behind_is_refused_however_it_is_combined) {
  const auto queued = [] { return weft::async([] { return 1; }); };
  const auto refused = [](auto make) { return inside_of_one_thread(make) == weft::errc::deadlock; };
  EXPECT_TRUE(refused([&] { return queued().discard(); }));
  EXPECT_TRUE(refused([&] { return weft::async([&] { return queued(); }); }));
  EXPECT_TRUE(refused([&] { return queued().then_inline([](int n) { return n; }); }));
  EXPECT_TRUE(refused([&] { return weft::bulk(2, [](std::size_t) {}); }));
  EXPECT_TRUE(refused([&] { return weft::retry({}, [] { return 1; }); }));
  EXPECT_TRUE(refused([&] { return weft::repeat_until([] { return 1; }, [](int) { return true; }); }));
  EXPECT_TRUE(refused([&] { return queued().share().fork(); }));
  EXPECT_TRUE(refused([&] { return weft::when_all(queued()); }));
  EXPECT_TRUE(refused([&] { return weft::when_all(queued(), weft::ready(1)); }));
  EXPECT_TRUE(refused([&] { return weft::when_all(queued(), queued()).then([](auto) { return 0; }); }));
  EXPECT_TRUE(refused([&] { return weft::when_any(queued(), queued()); }));
  EXPECT_TRUE(refused([&] { return weft::when_all(weft::when_any(queued(), queued())); }));
}

TEST(future_ends, a_wait_is_not_refused_where_something_else_may_end_it) {
  const auto queued = [] { return weft::async([] { return 1; }); };
  const auto works = [](auto make) { return inside_of_one_thread(make) == weft::errc::unknown; };
  EXPECT_TRUE(works([&] { return weft::when_any(queued(), weft::ready(1)); }));
  EXPECT_TRUE(
      works([&] { return weft::when_any(queued(), weft::sleep(1ms).then_inline([] { return 2; })); }));
  EXPECT_TRUE(works([&] { return queued().timeout_or(1ms, 7); }));
}

TEST(future_ends, a_callback_that_waits_calls_what_it_waits_for) {
  // Deep enough that callbacks are queued instead of called.
  weft::promise<int> in;
  auto end = in.get_future();
  int sums = 0;
  for (int i = 0; i < 40; ++i) {
    end = end.then_inline([&](int value) {
      auto [one, two] = weft::when_all(weft::ready(1), weft::ready(2)).get();
      sums += one + two + weft::ready(1).then_inline([](int n) { return n; }).get();
      return value + 1;
    });
  }
  in.set_value(0);
  EXPECT_EQ(end.get(), 40);
  EXPECT_EQ(sums, 160);
}

TEST(future_ends, a_callback_may_wait_for_its_later_sibling) {
  weft::promise<int> in;
  const auto shared = in.get_future().share();
  weft::promise<int> from_later;
  auto awaited = from_later.get_future();
  auto first = shared.fork().then_inline([&](int) { return awaited.get(); });
  auto second = shared.fork().then_inline([&](int value) { from_later.set_value(value + 1); });
  in.set_value(1);
  EXPECT_EQ(first.get(), 2);
  second.get();
}

TEST(future_ends, what_on_cancel_holds_ends_with_the_outcome) {
  const auto held = std::make_shared<int>(1);
  for (const bool drops : {false, true}) {
    weft::promise<int> in;
    auto out = in.get_future();
    in.on_cancel([held] {});
    EXPECT_EQ(held.use_count(), 2);
    if (drops) {
      {
        const auto gone = std::move(in);
      }
      EXPECT_THROW(out.get(), weft::broken_promise);
    } else {
      in.set_value(1);
      in.on_cancel([held] {});
      EXPECT_EQ(out.get(), 1);
    }
    EXPECT_EQ(held.use_count(), 1);
  }
}

TEST(future_ends, a_resolver_is_told_of_a_cancellation_and_its_promise_breaks_when_it_is_dropped) {
  std::vector<weft::resolver<int>> kept;
  auto stopped = weft::from_callback<int>([&](auto end) {
    end.on_cancel([](const weft::resolver<int>& self, weft::cancel_reason why) {
      self(why == weft::cancel_reason::deadline ? 7 : 8);
    });
    kept.push_back(end);
  });
  EXPECT_FALSE(stopped.ready());
  stopped.cancel(weft::cancel_reason::deadline);
  EXPECT_EQ(stopped.get(), 7);

  auto dropped = weft::from_callback<int>(
      [](auto end) { end.on_cancel([](const weft::resolver<int>& self) { self(1); }); });
  EXPECT_THROW(dropped.get(), weft::broken_promise);
}

TEST(future_ends, trees_of_any_depth_are_cancelled_without_a_stack) {
  constexpr int depth = 100'000;
  weft::promise<int> in;
  auto end = in.get_future();
  std::vector<weft::promise<int>> others(depth);
  for (auto& one : others) end = end.race(one.get_future());
  end.cancel();
  EXPECT_TRUE(end.get_result().error() != nullptr);
  EXPECT_TRUE(in.is_cancelled());
  EXPECT_TRUE(others.front().is_cancelled());

  weft::promise<int> never;
  auto late = never.get_future();
  for (int i = 0; i < 1000; ++i) late = late.timeout(1h).share().fork();
  never.set_value(1);
  EXPECT_EQ(late.get(), 1);
}

TEST(future_ends, a_post_is_not_bound_to_the_end_of_who_completes) {
  // The pool is full and its posts wait: the completer's cancellation is not the continuation's.
  weft::thread_pool pool{{.threads = 1, .queue_max = 1, .full = weft::when_full::wait}};
  std::promise<void> go_on;
  auto running = pool.submit([&] { go_on.get_future().wait(); });
  auto [in, out] = weft::contract<int>();
  auto after = out.on(pool).then([](int value) { return value + 1; });
  {
    weft::cancel_scope completer;
    completer.cancel();
    in.set_value(1);
  }
  go_on.set_value();
  EXPECT_EQ(after.get(), 2);
  running.get();
}

TEST(future_ends, an_error_passed_on_is_said_to_be_from_where_it_failed) {
  const uncaught_errors seen([] { return user.value_or(0); });
  weft::thread_pool pool{{.threads = 1, .name = "origin"}};
  const auto fail = []() -> int { throw std::runtime_error("lost"); };
  const auto failing = [&] { return weft::with(user, 5, [&] { return pool.submit(fail); }); };
  const weft::scoped_value mine(user, 9);
  const auto drop = [&](auto made) {
    made.wait();
    const std::size_t before = seen.all().size();
    { const auto gone = std::move(made); }
    while (seen.all().size() == before) std::this_thread::yield();
    EXPECT_EQ(seen.all().back().mark, 5);
  };
  drop(failing().delayed(1ms));
  drop(failing().race(weft::sleep(1h).then_inline([] { return 1; })));
  drop(failing().cancelled_as_error(std::logic_error("x")));
  drop(failing().then_result([](weft::result<int> outcome) -> int { return std::move(outcome).value(); }));
  weft::promise<int> never;
  drop(weft::with(user, 5, [&] { return never.get_future().timeout(1ms); }));
}

TEST(future_ends, an_error_of_several_forks_is_told_once) {
  const uncaught_errors seen([] { return 0; });
  {
    weft::promise<int> in;
    const auto shared = in.get_future().share();
    auto one = shared.fork();
    auto two = shared.fork();
    in.set_error(std::make_exception_ptr(std::runtime_error("lost")));
  }
  EXPECT_EQ(seen.all().size(), 1U);
}

TEST(future_ends, an_executor_that_refuses_a_dropped_continuation_is_told_to_the_handler) {
  const uncaught_errors seen([] { return 0; });
  weft::thread_pool over{{.threads = 1}};
  over.shutdown(1min);
  {
    auto lost = weft::ready(1).on(over).then([](int value) { return value; });
  }
  EXPECT_EQ(seen.all().size(), 1U);
}

TEST(future_ends, on_holds_for_the_chain_through_zip_race_and_share) {
  weft::thread_pool pool{{.threads = 1, .name = "mine"}};
  const auto where = [](auto&&...) { return std::string(weft::current_executor().name()); };
  const auto here = [&] { return weft::ready(1).on(pool); };
  EXPECT_EQ(here().zip(weft::ready(2), [](int a, int b) { return a + b; }).then(where).get(), "mine");
  EXPECT_EQ(here().race(weft::ready(2)).then(where).get(), "mine");
  EXPECT_EQ(here().share().then(where).get(), "mine");
  EXPECT_EQ(here().timeout(1h).then(where).get(), "mine");
  EXPECT_EQ(here().delayed(1ms).then(where).get(), "mine");
}

TEST(future_ends, bulk_on_a_full_pool_fails_when_the_begun_ones_have_ended) {
  weft::thread_pool pool{{.threads = 4, .queue_max = 1}};
  std::promise<void> go_on;
  const auto open = go_on.get_future().share();
  std::vector<future<void>> busy;
  std::atomic<int> begun{0};
  for (int i = 0; i < 4; ++i) {
    busy.push_back(pool.submit([&] {
      ++begun;
      open.wait();
    }));
    while (begun.load() <= i) std::this_thread::yield();
  }
  const auto counted = std::make_shared<std::atomic<int>>(0);
  auto all = weft::bulk(pool, 10, [counted](std::size_t) { ++*counted; });
  go_on.set_value();
  const auto error = all.get_result().error();
  ASSERT_NE(weft::find_error<weft::error>(error), nullptr);
  EXPECT_EQ(weft::find_error<weft::error>(error)->code(), weft::errc::resource_exhausted);
  for (auto& one : busy) one.get();
  pool.shutdown(1min);
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(future_ends, when_all_of_cancellations_gives_the_one_that_came_first) {
  weft::promise<int> one;
  weft::promise<int> other;
  auto both = weft::when_all(one.get_future(), other.get_future());
  other.set_stopped(weft::cancel_reason::deadline);
  try {
    std::rethrow_exception(both.get_result().error());
  } catch (const weft::cancelled& stop) {
    EXPECT_EQ(stop.reason(), weft::cancel_reason::deadline);
  }
}

}  // namespace
