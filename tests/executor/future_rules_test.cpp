// What holds for every operation on futures: context, place, outcome, cancellation, lifetime.

#include <weft/executor/futures.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
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

constexpr weft::key_spec user_spec{.name = "test.future_rules_user"};
const weft::key<int> user{user_spec};
constexpr weft::key_spec shared_spec{.name = "test.future_rules_shared"};
const weft::key<std::shared_ptr<int>> shared{shared_spec};

int seen() { return user.value_or(0); }

/// `attach` gives a future<int> of one, with a function that looks at the context; registered with user 1,
/// completed with user 2.
template <typename Attach>
int seen_by_pending(Attach attach) {
  auto [in, out] = weft::contract<int>();
  auto looked = weft::with(user, 1, [&] { return attach(std::move(out)); });
  weft::with(user, 2, [&] { in.set_value(0); });
  return looked.get();
}

// H1
TEST(future_rules, a_continuation_of_a_pending_future_runs_in_the_context_of_its_registrar) {
  EXPECT_EQ(seen_by_pending([](future<int> of) { return of.then([] { return seen(); }); }), 1);
  EXPECT_EQ(seen_by_pending([](future<int> of) { return of.then_result([](auto) { return seen(); }); }), 1);
}

// H3
TEST(future_rules, an_inline_continuation_sees_its_registrar_and_the_completer_gets_his_own_back) {
  auto [in, out] = weft::contract<int>();
  auto looked = weft::with(user, 1, [&] { return out.then_inline([] { return seen(); }); });
  const weft::scoped_value mine(user, 2);
  in.set_value(0);
  EXPECT_EQ(seen(), 2);
  EXPECT_EQ(looked.get(), 1);
}

TEST(future_rules, a_continuation_of_a_ready_future_sees_its_registrar_too) {
  EXPECT_EQ(weft::with(user, 1, [&] { return weft::ready().then([] { return seen(); }); }).get(), 1);
  EXPECT_EQ(weft::with(user, 1, [&] { return weft::ready().then_inline([] { return seen(); }); }).get(), 1);
}

// H2
TEST(future_rules, what_comes_after_a_time_sees_its_registrar) {
  const auto look = [] { return seen(); };
  const weft::scoped_value mine(user, 1);
  EXPECT_EQ(weft::async_after(1ms, look).get(), 1);
  EXPECT_EQ(weft::sleep(1ms).then_inline(look).get(), 1);
  auto broken = weft::promise<int>().get_future();
  EXPECT_EQ(broken.timeout(1h).or_else(look).get(), 1);
  weft::promise<int> never;
  EXPECT_EQ(never.get_future().timeout(1ms).or_else(look).get(), 1);
  EXPECT_EQ(weft::ready().delayed(1ms).then(look).get(), 1);
}

TEST(future_rules, attempts_and_rounds_see_who_started_them) {
  const weft::scoped_value mine(user, 1);
  std::vector<int> all;
  const weft::retry_policy quick{.first = 1us};
  const auto fail = [&]() -> int {
    all.push_back(seen());
    throw std::runtime_error("lost");
  };
  EXPECT_THROW(weft::retry(quick, fail).get(), std::runtime_error);
  weft::repeat_until([&] { return all.push_back(seen()), all.size(); }, [](auto n) { return n > 5; }).get();
  for (const int one : all) EXPECT_EQ(one, 1);
}

TEST(future_rules, a_continuation_runs_on_the_executor_that_was_current_when_it_was_attached) {
  weft::thread_pool one{{.threads = 1, .name = "one"}};
  weft::thread_pool two{{.threads = 1, .name = "two"}};
  weft::promise<void> in;
  auto out = in.get_future();
  auto where =
      one.submit([&] { return out.then([] { return std::string(weft::current_executor().name()); }); });
  auto inner = where.get();
  two.submit([&] { in.set_value(); }).get();
  EXPECT_EQ(inner.get(), "one");
}

// R12
TEST(future_rules, a_core_has_dropped_its_context_and_function_when_the_outcome_is_there) {
  const auto value = std::make_shared<int>(1);
  const auto captured = std::make_shared<int>(2);
  for (const bool fails : {false, true}) {
    auto [in, out] = weft::contract<int>();
    auto late = weft::with(shared, value, [&] { return out.then([captured](int) {}); });
    auto at_once = weft::with(shared, value, [&] { return weft::ready().then_inline([captured] {}); });
    fails ? in.set_error(std::make_exception_ptr(std::runtime_error("x"))) : in.set_value(1);
    late.wait();
    EXPECT_EQ(value.use_count(), 1);
    EXPECT_EQ(captured.use_count(), 1);
    static_cast<void>(late.get_result());
  }
}

TEST(future_rules, errors_arrive_as_the_very_object_through_any_number_of_steps) {
  const auto thrown = std::make_exception_ptr(std::runtime_error("lost"));
  auto far = weft::failed<int>(thrown).then([](int) {}).tap([] {}).ensure([] {}).discard().timeout(1h);
  EXPECT_EQ(far.get_result().error(), thrown);
  EXPECT_EQ(weft::when_all(weft::ready(1), weft::failed<int>(thrown)).get_result().error(), thrown);
}

TEST(future_rules, an_abandoned_promise_names_where_it_was_made) {
  auto out = weft::promise<int>().get_future();
  const std::string here = "future_rules_test.cpp:" + std::to_string(__LINE__ - 1);
  try {
    out.get();
    FAIL();
  } catch (const weft::broken_promise& broken) {
    EXPECT_NE(std::string(broken.what()).find(here), std::string::npos) << broken.what();
  }
}

TEST(future_rules, an_error_that_nobody_takes_is_reported_once_in_the_context_of_what_failed) {
  uncaught_errors caught([] { return seen(); });
  const auto fail = []() -> int { throw std::runtime_error("lost"); };
  weft::thread_pool pool{{.threads = 1, .name = "failing"}};
  const auto attach = [&](auto make) {
    auto dropped = weft::with(user, 3, make);
    dropped.wait();
  };
  attach([&] { return weft::ready().then(fail); });
  attach([&] { return weft::ready().then_inline(fail); });
  attach([&] { return pool.submit(fail).then([](int) {}).tap([] {}); });
  attach([&] { return weft::when_all(pool.submit(fail), weft::ready(1)); });
  attach([&] {
    auto ends = weft::contract<int>();
    ends.promise.set_error(std::make_exception_ptr(std::runtime_error("lost")));
    return std::move(ends.future);
  });
  pool.shutdown(1min);
  const auto all = caught.wait_for(5);
  ASSERT_EQ(all.size(), 5U);
  for (const auto& one : all) {
    EXPECT_EQ(one.text, "lost");
    EXPECT_EQ(one.mark, 3);
  }
  EXPECT_EQ(std::ranges::count(all, "failing", &uncaught_errors::entry::executor), 2);
}

TEST(future_rules, a_cancellation_that_nobody_takes_is_no_error) {
  const uncaught_errors caught([] { return 0; });
  { auto dropped = weft::stopped<int>(); }
  {
    auto dropped = weft::stopped<int>().then([](int) {});
  }
  EXPECT_TRUE(caught.all().empty());
}

TEST(future_rules, cancelling_the_end_of_a_chain_reaches_its_source) {
  for (const int length : {0, 1, 100'000}) {
    weft::promise<int> in;
    std::optional<weft::cancel_reason> told;
    in.on_cancel([&](weft::cancel_reason why) {
      told = why;
      in.set_stopped(why);
    });
    auto end = in.get_future();
    for (int i = 0; i < length; ++i) end = end.then_inline([](int value) { return value; });
    end.cancel(weft::cancel_reason::shutdown);
    EXPECT_EQ(told, weft::cancel_reason::shutdown);
    EXPECT_THROW(end.get(), weft::cancelled);
  }
}

TEST(future_rules, cancelling_reaches_a_function_that_runs_and_a_future_that_it_returned) {
  weft::promise<void> begun;
  auto has_begun = begun.get_future();
  auto running = weft::async([&] {
    begun.set_value();
    weft::promise<int> never;
    return never.get_future().get();
  });
  has_begun.get();
  running.cancel();
  EXPECT_THROW(running.get(), weft::cancelled);

  weft::promise<int> inner;
  weft::promise<void> told;
  auto was_told = told.get_future();
  inner.on_cancel([&] {
    inner.set_stopped();
    told.set_value();
  });
  auto outer = weft::ready().then_inline([&] { return inner.get_future(); });
  outer.cancel();
  was_told.get();
  EXPECT_THROW(outer.get(), weft::cancelled);
}

TEST(future_rules, a_step_that_was_cancelled_before_it_began_does_not_run) {
  auto ends = weft::contract<int>();
  ends.promise.on_cancel([] {});  // goes on
  bool ran = false;
  auto next = ends.future.then_inline([&](int) { ran = true; });
  next.cancel();
  ends.promise.set_value(1);
  EXPECT_TRUE(next.cancelled());
  EXPECT_FALSE(ran);
}

TEST(future_rules, losers_have_ended_when_the_combined_future_is_ready) {
  weft::thread_pool pool{{.threads = 2}};
  for (int round = 0; round < 20; ++round) {
    std::atomic<bool> ended{false};
    weft::promise<void> begun;
    auto has_begun = begun.get_future();
    auto slow = pool.submit([&] {
      begun.set_value();
      try {
        weft::promise<void> never;
        never.get_future().get();
      } catch (const weft::cancelled&) {
        ended = true;
        throw;
      }
    });
    auto fast = pool.submit([&] {
      has_begun.get();
      throw std::runtime_error("lost");
    });
    EXPECT_THROW(weft::when_all(std::move(slow), std::move(fast)).get(), std::runtime_error);
    EXPECT_TRUE(ended);
  }
}

TEST(future_rules, when_all_on_one_thread_does_not_deadlock) {
  weft::thread_pool pool{weft::thread_pool_options::single("only")};
  const auto sum = [&] {
    return weft::when_all(weft::async([] { return 1; }), weft::async([] { return 2; })).then([](auto both) {
      return std::get<0>(both) + std::get<1>(both);
    });
  };
  EXPECT_EQ(weft::async(pool, sum).get(), 3);
}

TEST(future_rules, chains_of_any_length_need_no_stack) {
  constexpr int length = 100'000;
  weft::promise<int> in;
  auto end = in.get_future();
  for (int i = 0; i < length; ++i) end = end.then_inline([](int value) { return value + 1; });
  in.set_value(0);
  EXPECT_EQ(end.get(), length);
  weft::promise<int> broken;
  auto failed = broken.get_future();
  for (int i = 0; i < length; ++i) failed = failed.then([](int value) { return value; });
  broken = {};
  EXPECT_THROW(failed.get(), weft::broken_promise);
  int rounds = 0;
  EXPECT_EQ(
      weft::repeat_until([&] { return weft::ready(++rounds); }, [](int n) { return n == 10'000; }).get(),
      10'000);
}

TEST(future_rules, functions_never_run_on_the_thread_of_the_times) {
  const auto where = [] { return std::string(weft::current_executor().name()); };
  EXPECT_EQ(weft::sleep(1ms).then(where).get(), "common");
}

TEST(future_rules, an_executor_that_refuses_is_the_outcome) {
  weft::thread_pool over{{.threads = 1}};
  over.shutdown(1min);
  auto end = weft::ready(1).on(over).then([](int value) { return value; });
  const auto thrown = end.get_result().error();
  ASSERT_NE(weft::find_error<weft::error>(thrown), nullptr);
  EXPECT_EQ(weft::find_error<weft::error>(thrown)->code(), weft::errc::closed);
}

TEST(future_rules, many_threads_complete_attach_and_cancel_at_once) {
  weft::thread_pool pool{{.threads = 4}};
  std::vector<future<int>> all;
  for (int i = 0; i < 500; ++i) {
    auto one = pool.submit([i] { return i; }).then([](int value) { return value; }).share();
    all.push_back(one.then([](int value) { return value; }));
    auto other = pool.submit([] { weft::checkpoint(); }).then([] { return weft::async([] { return 1; }); });
    if (i % 3 == 0) other.cancel();
    all.push_back(other.cancelled_as_optional().then([](auto value) { return value.value_or(0); }));
  }
  auto first = weft::when_n(300, std::move(all)).get();
  EXPECT_EQ(first.size(), 300U);
}

}  // namespace
