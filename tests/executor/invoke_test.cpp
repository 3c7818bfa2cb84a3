#include <weft/executor/invoke.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <variant>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/executor/strand.hpp>
#include <weft/executor/thread_pool.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec tenant_spec{.name = "test.invoke_tenant"};
const weft::key<int> tenant{tenant_spec};

using functions = std::vector<std::function<int()>>;

/// Waits until it is cancelled.
int wait_for_ever() {
  weft::promise<int> never;
  return never.get_future().get();
}

/// Says that it waits, waits for ever, and counts its cancellation.
int wait_and_count(std::latch& waiting, std::atomic<int>& ended) {
  waiting.count_down();
  try {
    return wait_for_ever();
  } catch (const weft::cancelled&) {
    ++ended;
    throw;
  }
}

TEST(invoke_all, gives_the_values_in_input_order) {
  weft::thread_pool pool{{.threads = 3}};
  functions works;
  for (int i = 0; i < 100; ++i) works.emplace_back([i] { return i * i; });
  const auto values = weft::invoke_all(pool, works);
  ASSERT_EQ(values.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i * i);
}

TEST(invoke_all, of_different_types_gives_a_tuple) {
  weft::thread_pool pool{{.threads = 2}};
  int touched = 0;
  const auto values = weft::invoke_all(
      pool, [] { return 1; }, [] { return std::string("two"); }, [&] { touched = 3; });
  EXPECT_EQ(values, std::tuple(1, std::string("two"), std::monostate()));
  EXPECT_EQ(touched, 3);
}

TEST(invoke_all, of_nothing_is_nothing) {
  weft::thread_pool pool{{.threads = 1}};
  EXPECT_TRUE(weft::invoke_all(pool, functions()).empty());
}

TEST(invoke_all, captures_the_context_at_the_call) {
  weft::thread_pool pool{{.threads = 2}};
  const auto values = weft::with(tenant, 6, [&] {
    return weft::invoke_all(pool,
                            functions{[] { return tenant.value_or(0); }, [] { return tenant.value_or(0); }});
  });
  EXPECT_EQ(values, (std::vector<int>{6, 6}));
}

TEST(invoke_all, the_first_error_cancels_the_others_and_is_thrown_when_they_have_ended) {
  weft::thread_pool pool{{.threads = 2}};
  std::atomic<bool> ended{false};
  std::latch waits(1);
  EXPECT_THROW(weft::invoke_all(pool, functions{[&] {
                                                  waits.count_down();
                                                  try {
                                                    return wait_for_ever();
                                                  } catch (const weft::cancelled&) {
                                                    ended = true;
                                                    throw;
                                                  }
                                                },
                                                [&]() -> int {
                                                  waits.wait();
                                                  throw std::out_of_range("this one");
                                                }}),
               std::out_of_range);
  EXPECT_TRUE(ended);
}

TEST(invoke_all, what_has_not_begun_after_an_error_does_not_run) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  std::atomic<int> ran{0};
  functions works{[]() -> int { throw std::runtime_error("first"); }};
  for (int i = 0; i < 50; ++i) works.emplace_back([&] { return ++ran; });
  EXPECT_THROW(pool.submit([&] { return weft::invoke_all(pool, works); }).get(), std::runtime_error);
  EXPECT_EQ(ran, 0);
}

TEST(invoke_all, from_the_only_thread_of_its_pool_runs_here) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  auto done = pool.submit([&] {
    const auto own = std::this_thread::get_id();
    return weft::invoke_all(
        pool, std::vector<std::function<bool()>>{[&] { return std::this_thread::get_id() == own; },
                                                 [&] { return std::this_thread::get_id() == own; }});
  });
  EXPECT_EQ(done.get(), (std::vector<bool>{true, true}));
}

TEST(invoke_all, nested_on_all_threads_of_a_pool_ends) {
  weft::thread_pool pool{{.threads = 2}};
  std::function<int(int)> sum = [&](int depth) -> int {
    if (depth == 0) return 1;
    const auto halves =
        weft::invoke_all(pool, functions{[&] { return sum(depth - 1); }, [&] { return sum(depth - 1); }});
    return halves[0] + halves[1];
  };
  EXPECT_EQ(sum(8), 256);
}

TEST(invoke_all, on_a_strand_of_the_callers_only_thread_is_refused) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  const weft::strand line(pool);
  auto told = pool.submit([&] {
    try {
      weft::invoke_all(line, functions{[] { return 1; }});
    } catch (const weft::error& refused) {
      return refused.code();
    }
    return weft::errc::unknown;
  });
  EXPECT_EQ(told.get(), weft::errc::deadlock);
}

TEST(invoke_all, a_cancelled_caller_cancels_them_and_waits_for_their_end) {
  weft::thread_pool pool{{.threads = 2}};
  std::atomic<int> ended{0};
  std::latch waiting(2);
  const auto waits = [&] { return wait_and_count(waiting, ended); };
  weft::cancel_scope scope;
  std::thread canceller([&] {
    waiting.wait();
    scope.cancel();
  });
  EXPECT_THROW(weft::invoke_all(pool, functions{waits, waits}), weft::cancelled);
  EXPECT_EQ(ended, 2);
  canceller.join();
}

TEST(invoke_all, throws_what_the_executor_says_when_it_refuses) {
  weft::thread_pool pool{{.threads = 1}};
  pool.shutdown(1min);
  EXPECT_THROW(weft::invoke_all(pool, functions{[] { return 1; }}), weft::error);
}

TEST(invoke_all, of_functions_that_the_executor_drops_is_cancelled) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  std::latch inside(1);
  auto holder = pool.submit([&] {
    inside.count_down();
    return wait_for_ever();
  });
  inside.wait();
  weft::thread_pool other{{.threads = 1}};
  auto dropped = other.submit([&] { return weft::invoke_all(pool, functions{[] { return 1; }}); });
  while (pool.queued() == 0) std::this_thread::yield();
  pool.shutdown(0ms);
  EXPECT_THROW(dropped.get(), weft::cancelled);
  EXPECT_THROW(holder.get(), weft::cancelled);
}

TEST(invoke_any, gives_the_first_value_and_cancels_and_awaits_the_others) {
  weft::thread_pool pool{{.threads = 3}};
  std::atomic<int> ended{0};
  std::latch waiting(2);
  const auto loses = [&] { return wait_and_count(waiting, ended); };
  const auto first = weft::invoke_any(pool, functions{loses,
                                                      [&] {
                                                        waiting.wait();
                                                        return 5;
                                                      },
                                                      loses});
  EXPECT_EQ(first.index, 1U);
  EXPECT_EQ(first.value, 5);
  EXPECT_EQ(ended, 2);
}

TEST(invoke_any, an_error_does_not_win) {
  weft::thread_pool pool{{.threads = 2}};
  const auto first =
      weft::invoke_any(pool, functions{[]() -> int { throw std::runtime_error("no"); }, [] { return 2; }});
  EXPECT_EQ(first.index, 1U);
}

TEST(invoke_any, without_a_value_throws_the_first_error_in_input_order) {
  weft::thread_pool pool{{.threads = 2}};
  EXPECT_THROW(weft::invoke_any(pool, functions{[]() -> int { throw std::out_of_range("first"); },
                                                []() -> int { throw std::runtime_error("second"); }}),
               std::out_of_range);
}

TEST(invoke_any, of_nothing_is_refused) {
  weft::thread_pool pool{{.threads = 1}};
  EXPECT_THROW(weft::invoke_any(pool, functions()), weft::error);
}

TEST(invoke_any, from_the_only_thread_of_its_pool_runs_here) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  int ran = 0;
  auto done = pool.submit([&] {
    return weft::invoke_any(pool, functions{[&] { return ++ran; }, [&] { return ++ran; }}).value;
  });
  EXPECT_EQ(done.get(), 1);
  pool.shutdown(1min);
  EXPECT_EQ(ran, 1);
}

}  // namespace
