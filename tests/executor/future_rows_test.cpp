// One test for each row of the table in docs/futures.md, named after it.

#include <weft/executor/futures.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/executor/from.hpp>
#include <weft/executor/thread_pool.hpp>

namespace {

using namespace std::chrono_literals;
using weft::future;

constexpr weft::key_spec user_spec{.name = "test.future_rows_user"};
const weft::key<int> user{user_spec};

/// Never brings an outcome but when it is cancelled; tells that it was.
struct endless {
  weft::promise<int> in;
  weft::promise<weft::cancel_reason> told;
  future<weft::cancel_reason> reason = told.get_future();
  future<int> out = in.get_future();
  endless() {
    in.on_cancel([this](weft::cancel_reason why) {
      told.try_set_value(why);
      in.try_set_stopped(why);
    });
  }
};

std::exception_ptr an_error(const char* text = "lost") {
  return std::make_exception_ptr(std::runtime_error(text));
}
weft::errc code_of(const std::exception_ptr& thrown) {
  const auto* const found = weft::find_error<weft::error>(thrown);
  return found == nullptr ? weft::errc::unknown : found->code();
}

TEST(future_rows, async) {
  weft::thread_pool pool{{.threads = 1, .name = "rows"}};
  EXPECT_EQ(weft::async([] { return 1; }).get(), 1);
  const weft::scoped_value bound(user, 5);
  auto there = weft::async(pool, [] { return std::pair(user.value_or(0), weft::current_executor().name()); });
  EXPECT_EQ(there.get(), std::pair(5, std::string_view("rows")));
  EXPECT_EQ(weft::async([] { return weft::async([] { return 3; }); }).get(), 3);
}

TEST(future_rows, ready_value) {
  EXPECT_EQ(weft::ready(std::string("there")).get(), "there");
  auto nothing = weft::ready();
  EXPECT_TRUE(nothing.ready());
  nothing.get();
}

TEST(future_rows, ready_error) {
  EXPECT_THROW(weft::failed<int>(std::runtime_error("lost")).get(), std::runtime_error);
  const auto thrown = an_error();
  EXPECT_EQ(weft::failed<int>(thrown).get_result().error(), thrown);
}

TEST(future_rows, ready_stopped) {
  auto over = weft::stopped<int>(weft::cancel_reason::shutdown);
  EXPECT_EQ(over.state(), weft::future_status::cancelled);
  EXPECT_THROW(over.get(), weft::cancelled);
}

TEST(future_rows, map_value) {
  EXPECT_EQ(weft::ready(20).then([](int value) { return value + 1; }).get(), 21);
  auto [in, out] = weft::contract<int>();
  auto text = out.then([](int value) { return std::to_string(value); });
  in.set_value(7);
  EXPECT_EQ(text.get(), "7");
}

TEST(future_rows, consume) {
  int seen = 0;
  weft::ready(2).then([&](int value) { seen = value; }).get();
  weft::ready(2).then([&] { ++seen; }).get();
  weft::ready(2).discard().then([&] { ++seen; }).get();
  EXPECT_EQ(seen, 4);
}

TEST(future_rows, flat_map) {
  EXPECT_EQ(weft::ready(2).then([](int value) { return weft::async([value] { return value * 2; }); }).get(),
            4);
  EXPECT_EQ(weft::ready(2).and_then([](int value) { return weft::result<int>(value * 3); }).get(), 6);
  auto bad = weft::ready(2).and_then([](int) { return weft::result<int>(an_error()); });
  EXPECT_THROW(bad.get(), std::runtime_error);
}

TEST(future_rows, join_two) {
  auto [number, text] = weft::when_all(weft::ready(1), weft::ready(std::string("one"))).get();
  EXPECT_EQ(number, 1);
  EXPECT_EQ(text, "one");
  EXPECT_EQ(weft::ready(4).zip(weft::ready(5L), [](int one, long other) { return one * other; }).get(), 20);
}

TEST(future_rows, first_of_two) {
  endless slow;
  EXPECT_EQ(weft::ready(1).race(std::move(slow.out)).get(), 1);
  EXPECT_EQ(slow.reason.get(), weft::cancel_reason::sibling);
}

TEST(future_rows, handle) {
  const auto or_zero = [](weft::result<int> in) { return in.has_value() ? std::move(in).value() : 0; };
  EXPECT_EQ(weft::ready(3).then_result(or_zero).get(), 3);
  EXPECT_EQ(weft::failed<int>(an_error()).then_result(or_zero).get(), 0);
}

TEST(future_rows, peek_both) {
  int seen = 0;
  const auto look = [&](const weft::result<int>& in) { seen += in.has_value() ? 1 : 10; };
  EXPECT_EQ(weft::ready(3).tap(look).get(), 3);
  EXPECT_THROW(weft::failed<int>(an_error()).tap(look).get(), std::runtime_error);
  EXPECT_EQ(seen, 11);
}

TEST(future_rows, recover) {
  EXPECT_EQ(weft::failed<int>(an_error()).or_else([](std::exception_ptr) { return 1; }).get(), 1);
  EXPECT_EQ(weft::failed<int>(an_error("text"))
                .or_else<std::runtime_error>([](const std::runtime_error& e) { return int(e.what()[0]); })
                .get(),
            't');
  EXPECT_THROW(weft::failed<int>(an_error()).or_else<std::logic_error>([](const auto&) { return 1; }).get(),
               std::runtime_error);
  EXPECT_EQ(weft::ready(2).or_else([] { return 1; }).get(), 2);
}

TEST(future_rows, recover_async) {
  EXPECT_EQ(weft::failed<int>(an_error()).or_else([] { return weft::async([] { return 4; }); }).get(), 4);
  EXPECT_EQ(weft::failed<int>(an_error())
                .or_else<std::exception>([](const std::exception&) { return weft::ready(5); })
                .get(),
            5);
}

TEST(future_rows, stopped_channel) {
  EXPECT_EQ(weft::stopped<int>().on_cancelled([] { return 6; }).get(), 6);
  weft::cancel_reason seen{};
  EXPECT_THROW(weft::stopped<int>(weft::cancel_reason::shutdown)
                   .on_cancelled([&](weft::cancel_reason why) { seen = why; })
                   .get(),
               weft::cancelled);
  EXPECT_EQ(seen, weft::cancel_reason::shutdown);
  EXPECT_EQ(weft::stopped<int>().cancelled_as_optional().get(), std::nullopt);
  EXPECT_EQ(weft::ready(1).cancelled_as_optional().get(), 1);
  EXPECT_THROW(weft::stopped<int>().cancelled_as_error(std::runtime_error("gone")).get(), std::runtime_error);
  EXPECT_THROW(weft::stopped<int>().or_else([] { return 1; }).get(), weft::cancelled);
}

TEST(future_rows, all) {
  std::vector<future<int>> some;
  for (int i = 0; i < 10; ++i) some.push_back(weft::async([i] { return i; }));
  EXPECT_EQ(weft::when_all(std::move(some)).get(), (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_TRUE(weft::when_all(std::vector<future<int>>()).get().empty());
  endless slow;
  EXPECT_THROW(weft::when_all(std::move(slow.out), weft::failed<int>(an_error())).get(), std::runtime_error);
  EXPECT_EQ(slow.reason.get(), weft::cancel_reason::sibling);
}

TEST(future_rows, all_settled) {
  auto [one, other] = weft::when_settled(weft::ready(1), weft::failed<std::string>(an_error())).get();
  EXPECT_TRUE(one.has_value());
  EXPECT_FALSE(other.has_value());
  std::vector<future<void>> some;
  some.push_back(weft::ready());
  some.push_back(weft::stopped<void>());
  const auto outcomes = weft::when_settled(std::move(some)).get();
  EXPECT_TRUE(outcomes[0].has_value());
  EXPECT_FALSE(outcomes[1].has_value());
}

TEST(future_rows, any) {
  endless slow;
  std::vector<future<int>> some;
  some.push_back(std::move(slow.out));
  some.push_back(weft::failed<int>(an_error()));
  auto first = weft::when_any(std::move(some)).get();
  EXPECT_EQ(first.index, 1U);
  EXPECT_FALSE(first.outcome.has_value());
  EXPECT_EQ(slow.reason.get(), weft::cancel_reason::sibling);
  EXPECT_EQ(code_of(weft::when_any(std::vector<future<int>>()).get_result().error()),
            weft::errc::invalid_argument);

  endless kept;
  auto mixed =
      weft::when_any({.keep_losers = true}, std::move(kept.out), weft::ready(std::string("now"))).get();
  EXPECT_EQ(std::get<1>(mixed.outcome).value(), "now");
  EXPECT_FALSE(kept.reason.ready());
  kept.in.set_value(1);
}

TEST(future_rows, first_success) {
  auto won = weft::when_first_ok(weft::failed<int>(an_error()), weft::ready(2)).get();
  EXPECT_EQ(won.index, 1U);
  EXPECT_EQ(won.value, 2);
  auto none = weft::when_first_ok(weft::failed<int>(an_error("a")), weft::failed<int>(an_error("b")));
  const auto thrown = none.get_result().error();
  const auto* const all = weft::find_error<weft::aggregate_error>(thrown);
  ASSERT_NE(all, nullptr);
  EXPECT_EQ(all->errors().size(), 2U);
  EXPECT_EQ(code_of(weft::when_first_ok(std::vector<future<int>>()).get_result().error()),
            weft::errc::invalid_argument);
}

TEST(future_rows, first_n) {
  endless slow;
  std::vector<future<int>> some;
  some.push_back(weft::ready(1));
  some.push_back(std::move(slow.out));
  some.push_back(weft::ready(3));
  auto first = weft::when_n(2, std::move(some)).get();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].index, 0U);
  EXPECT_EQ(first[1].index, 2U);
  EXPECT_EQ(std::move(first[1].outcome).value(), 3);
  EXPECT_EQ(slow.reason.get(), weft::cancel_reason::sibling);
}

TEST(future_rows, fail_after) {
  endless slow;
  EXPECT_THROW(slow.out.timeout(1ms).get(), weft::deadline_exceeded);
  EXPECT_EQ(slow.reason.get(), weft::cancel_reason::deadline);
  EXPECT_EQ(weft::ready(1).timeout(1h).get(), 1);
  EXPECT_THROW(endless().out.deadline(weft::steady_clock::now()).get(), weft::deadline_exceeded);
}

TEST(future_rows, default_after) {
  endless slow;
  EXPECT_EQ(slow.out.timeout_or(1ms, 8).get(), 8);
  EXPECT_EQ(slow.reason.get(), weft::cancel_reason::deadline);
  EXPECT_EQ(weft::ready(1).timeout_or(1h, 8).get(), 1);
}

TEST(future_rows, delay) {
  const auto begin = weft::steady_clock::now();
  weft::sleep(2ms).get();
  EXPECT_EQ(weft::ready(1).delayed(2ms).get(), 1);
  EXPECT_EQ(weft::async_after(2ms, [] { return 2; }).get(), 2);
  EXPECT_GE(weft::steady_clock::now() - begin, 6ms);
  auto never = weft::sleep(1h);
  never.cancel();
  EXPECT_THROW(never.get(), weft::cancelled);
}

TEST(future_rows, complete_by_computing) {
  auto [in, out] = weft::contract<int>();
  in.set_with([] { return 3; });
  EXPECT_EQ(out.get(), 3);
  auto [bad_in, bad_out] = weft::contract<int>();
  bad_in.set_with([]() -> int { throw std::runtime_error("lost"); });
  EXPECT_THROW(bad_out.get(), std::runtime_error);
}

TEST(future_rows, producer) {
  auto [in, out] = weft::contract<int>();
  EXPECT_TRUE(in.try_set_value(1));
  EXPECT_FALSE(in.try_set_value(2));
  EXPECT_FALSE(in.try_set_error(an_error()));
  EXPECT_FALSE(in.try_set_stopped());
  EXPECT_THROW(in.set_value(2), weft::error);
  EXPECT_EQ(out.get(), 1);
  auto [over_in, over_out] = weft::contract<void>();
  over_in.set_stopped();
  EXPECT_TRUE(over_out.cancelled());
}

TEST(future_rows, cancel) {
  weft::thread_pool pool{{.threads = 1}};
  weft::promise<void> begun;
  auto has_begun = begun.get_future();
  auto running = pool.submit([&] {
    begun.set_value();
    weft::promise<int> nobody;
    return nobody.get_future().get();
  });
  has_begun.get();
  auto queued = pool.submit([] { return 1; });
  queued.cancel();
  EXPECT_THROW(queued.get(), weft::cancelled);
  running.cancel(weft::cancel_reason::shutdown);
  running.wait();
  EXPECT_TRUE(running.cancelled());

  auto plain = weft::contract<int>();
  plain.future.cancel();
  EXPECT_TRUE(plain.future.cancelled());
  EXPECT_TRUE(plain.promise.is_cancelled());
  plain.promise.set_value(3);  // nobody wants it any more
}

TEST(future_rows, observe) {
  auto [in, out] = weft::contract<int>();
  EXPECT_EQ(out.state(), weft::future_status::pending);
  EXPECT_FALSE(out.ready());
  EXPECT_TRUE(out.try_get().is_timed_out());
  EXPECT_TRUE(out.get_for(0ms).is_timed_out());
  in.set_value(4);
  EXPECT_EQ(out.state(), weft::future_status::value);
  EXPECT_EQ(*out.get_for(1h), 4);
  EXPECT_EQ(*weft::ready(5).try_get(), 5);
  auto bad = weft::failed<int>(an_error());
  EXPECT_TRUE(bad.has_error());
  EXPECT_THROW(bad.get(), std::runtime_error);
  EXPECT_EQ(weft::await(weft::ready(6)), 6);
}

TEST(future_rows, split_roles) {
  auto [in, out] = weft::contract<std::string>();
  const weft::shared_future<std::string> shared = out.share();
  const auto other = shared;
  auto length = shared.then([](std::string text) { return text.size(); });
  auto given_up = shared.then([](std::string) {});
  given_up.cancel();
  in.set_value("four");
  EXPECT_EQ(shared.get(), "four");
  EXPECT_EQ(other.get(), "four");
  EXPECT_EQ(length.get(), 4U);
  EXPECT_THROW(given_up.get(), weft::cancelled);
}

TEST(future_rows, place) {
  weft::thread_pool one{{.threads = 1, .name = "one"}};
  weft::thread_pool two{{.threads = 1, .name = "two"}};
  const auto where = [] { return std::string(weft::current_executor().name()); };
  EXPECT_EQ(weft::ready().then(where, one).get(), "one");
  EXPECT_EQ(weft::ready().on(two).then([] {}).then(where).get(), "two");
  EXPECT_EQ(one.submit([&] { return weft::ready().then(where); }).get().get(), "one");
  const auto here = std::this_thread::get_id();
  EXPECT_EQ(weft::ready().then_inline([] { return std::this_thread::get_id(); }).get(), here);
}

TEST(future_rows, guaranteed_cleanup) {
  std::atomic<int> calls{0};
  const auto count = [&] { ++calls; };
  EXPECT_EQ(weft::ready(1).ensure(count).then([&](int) { return calls.load(); }).get(), 1);
  EXPECT_THROW(weft::failed<int>(an_error()).ensure(count).get(), std::runtime_error);
  EXPECT_THROW(weft::stopped<int>().ensure(count).get(), weft::cancelled);
  weft::thread_pool over{{.threads = 1}};
  over.shutdown(1min);
  EXPECT_EQ(weft::ready(2).on(over).ensure(count).get(), 2);
  EXPECT_EQ(calls, 4);
}

TEST(future_rows, retry) {
  const weft::retry_policy quick{.attempts_max = 3, .first = 1us, .jitter = 0};
  std::vector<std::size_t> numbers;
  const auto third_time = [&](const weft::retry_attempt& attempt) {
    numbers.push_back(attempt.number());
    EXPECT_EQ(attempt.last_error() == nullptr, attempt.number() == 1);
    if (attempt.number() < 3) throw std::runtime_error("not yet");
    return 7;
  };
  EXPECT_EQ(weft::retry(quick, third_time).get(), 7);
  EXPECT_EQ(numbers, (std::vector<std::size_t>{1, 2, 3}));

  int calls = 0;
  const auto never = [&]() -> int {
    ++calls;
    throw std::runtime_error("lost");
  };
  EXPECT_THROW(weft::retry(quick, never).get(), std::runtime_error);
  EXPECT_EQ(calls, 3);
  const auto refused = [&]() -> int {
    ++calls;
    throw weft::error(weft::errc::refused, "no");
  };
  EXPECT_THROW(weft::retry(quick, refused).get(), weft::error);
  EXPECT_EQ(calls, 4);
  weft::with_timeout(1min, [&] {  // the second attempt would begin after the deadline
    EXPECT_THROW(weft::retry({.attempts_max = 9, .first = 1h, .longest = 2h}, never).get(),
                 std::runtime_error);
  });
  EXPECT_EQ(calls, 5);

  auto waits = weft::retry({.attempts_max = 9, .first = 1h, .longest = 2h},
                           [] { return weft::failed<int>(an_error()); });
  waits.cancel();
  EXPECT_THROW(waits.get(), weft::cancelled);
  EXPECT_EQ((weft::retry_policy{.first = 1s, .longest = 3s, .jitter = 0}.wait_after(3)), 3s);
}

TEST(future_rows, early_exit) {
  const auto is_even = [](int value) { return value % 2 == 0; };
  EXPECT_EQ(weft::ready(2).filter(is_even, 0).get(), 2);
  EXPECT_EQ(weft::ready(3).filter(is_even, [] { return 10; }).get(), 10);
}

TEST(future_rows, loops) {
  int count = 0;
  EXPECT_EQ(weft::repeat_until([&] { return ++count; }, [](int value) { return value == 1000; }).get(), 1000);
  std::vector<future<int>> some;
  for (int i = 1; i <= 4; ++i) some.push_back(weft::ready(i));
  EXPECT_EQ(weft::reduce(std::move(some), std::string(),
                         [](std::string text, int value) { return text + std::to_string(value); })
                .get(),
            "1234");
  weft::thread_pool pool{{.threads = 2}};
  std::atomic<std::size_t> sum{0};
  weft::bulk(pool, 100, [&](std::size_t index) { sum += index; }).get();
  EXPECT_EQ(sum, 4950U);
  weft::bulk(0, [](std::size_t) { FAIL(); }).get();
}

TEST(future_rows, convert_foreign) {
  std::promise<int> theirs;
  auto ours = weft::from(theirs.get_future());
  theirs.set_value(5);
  EXPECT_EQ(ours.get(), 5);
  std::function<void(int)> call_back;
  auto called = weft::from_callback<int>([&](auto end) { call_back = [end](int value) { end(value); }; });
  call_back(6);
  call_back(7);
  EXPECT_EQ(called.get(), 6);
  EXPECT_THROW(weft::from_callback<int>([](auto) {}).get(), weft::broken_promise);
  EXPECT_THROW(weft::from_callback<int>([](auto) { throw std::runtime_error("x"); }).get(),
               std::runtime_error);
}

TEST(future_rows, error_search) {
  std::exception_ptr thrown;
  try {
    try {
      throw weft::error(weft::errc::busy, "inner");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  ASSERT_NE(weft::find_error<weft::error>(thrown), nullptr);
  EXPECT_EQ(weft::find_error<weft::error>(thrown)->code(), weft::errc::busy);
  EXPECT_EQ(weft::find_error<std::logic_error>(thrown), nullptr);
}

TEST(future_rows, void_and_cast) {
  weft::ready(1).discard().get();
  EXPECT_EQ(weft::ready(3).as<long>().get(), 3L);
  weft::ready(3).as<void>().get();
}

}  // namespace
