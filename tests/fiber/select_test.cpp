#include <weft/fiber/select.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

const auto ignore = [](auto&&...) {};

TEST(select, does_the_case_that_is_ready_and_says_which) {
  weft::channel<int> numbers(1);
  weft::channel<std::string> words(1);
  words.push("hello");
  std::string got;
  const auto place = weft::select(weft::on_pop(numbers, ignore),
                                  weft::on_pop(words, [&](std::optional<std::string> word) { got = *word; }));
  EXPECT_EQ(place, 1U);
  EXPECT_EQ(got, "hello");
}

TEST(select, waits_until_a_case_is_ready) {
  weft::run([] {
    weft::channel<int> first(0), second(0);
    auto sender = weft::go([&] { second.push(5); });
    int got = 0;
    EXPECT_EQ(weft::select(weft::on_pop(first, ignore),
                           weft::on_pop(second, [&](std::optional<int> value) { got = *value; })),
              1U);
    EXPECT_EQ(got, 5);
    sender.join();
    EXPECT_EQ(first.statistics().consumers_waiting, 0U);
    EXPECT_EQ(second.statistics().consumers_waiting, 0U);
  });
}

TEST(select, leaves_the_values_of_pushes_that_were_not_chosen) {
  weft::channel<std::unique_ptr<int>> full(1), open(1);
  full.push(std::make_unique<int>(0));
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  EXPECT_EQ(weft::select(weft::on_push(full, first, ignore),
                         weft::on_push(open, second, [](bool pushed) { EXPECT_TRUE(pushed); })),
            1U);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(*first, 1);
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(**open.pop(), 2);
}

TEST(select, a_push_that_waits_is_taken_by_a_pop) {
  weft::run([] {
    weft::channel<int> there(0), never(0);
    auto receiver = weft::go([&] { return there.pop(); });
    bool pushed = false;
    weft::select(weft::on_pop(never, ignore), weft::on_push(there, 8, [&](bool done) { pushed = done; }));
    EXPECT_TRUE(pushed);
    EXPECT_EQ(receiver.join(), 8);

    auto late = weft::go([&] { return there.pop(); });
    auto pusher =
        weft::go([&] { return weft::select(weft::on_push(there, 9, ignore), weft::on_pop(never, ignore)); });
    EXPECT_EQ(late.join(), 9);
    EXPECT_EQ(pusher.join(), 0U);
  });
}

TEST(select, a_closed_channel_is_a_case_that_is_ready) {
  weft::run([] {
    weft::channel<int> closed(1), open(1);
    closed.push(3);
    closed.close();
    std::optional<int> got;
    const auto pop = [&] {
      weft::select(weft::on_pop(closed, [&](std::optional<int> value) { got = value; }),
                   weft::on_pop(open, ignore));
    };
    pop();
    EXPECT_EQ(got, 3);
    pop();
    EXPECT_EQ(got, std::nullopt);
    auto kept = 4;
    bool pushed = true;
    weft::select(weft::on_push(closed, kept, [&](bool done) { pushed = done; }));
    EXPECT_FALSE(pushed);
    EXPECT_EQ(kept, 4);

    auto waits = weft::go([&] {
      bool was_closed = false;
      weft::select(weft::on_pop(open, [&](std::optional<int> value) { was_closed = !value; }));
      return was_closed;
    });
    weft::yield();
    open.close();
    EXPECT_TRUE(waits.join());
  });
}

TEST(select, a_close_wakes_a_push_that_waits_and_leaves_its_value) {
  weft::run([] {
    weft::channel<std::unique_ptr<int>> full(0);
    auto value = std::make_unique<int>(1);
    auto waits = weft::go([&] {
      bool result = true;
      weft::select(weft::on_push(full, value, [&](bool pushed) { result = pushed; }));
      return result;
    });
    weft::yield();
    full.close();
    EXPECT_FALSE(waits.join());
    EXPECT_NE(value, nullptr);
  });
}

TEST(select, otherwise_is_done_where_it_would_wait) {
  weft::channel<int> empty(1);
  const auto look = [&] { return weft::select(weft::on_pop(empty, ignore), weft::otherwise([] {})); };
  EXPECT_EQ(look(), 1U);
  empty.push(1);
  EXPECT_EQ(look(), 0U);
  EXPECT_EQ(look(), 1U);
  EXPECT_EQ(weft::select(weft::otherwise([] {})), 0U);
  EXPECT_EQ(weft::select(weft::otherwise(ignore), weft::on_push(empty, 2, ignore)), 1U);
}

TEST(select, ends_by_the_earliest_of_its_times) {
  weft::run([] {
    weft::channel<int> empty(1);
    const auto begin = weft::steady_clock::now();
    EXPECT_EQ(weft::select(weft::on_timeout(1h, ignore), weft::on_timeout(5ms, ignore),
                           weft::on_pop(empty, ignore), weft::on_time(begin + 2h, ignore)),
              1U);
    EXPECT_GE(weft::steady_clock::now() - begin, 5ms);
    EXPECT_EQ(weft::select(weft::on_pop(empty, ignore), weft::on_time(begin, ignore)), 1U);
    EXPECT_EQ(weft::select(weft::on_pop(empty, ignore), weft::on_timeout(0ms, ignore)), 1U);
    EXPECT_EQ(empty.statistics().consumers_waiting, 0U);
  });
}

TEST(select, a_time_that_is_too_long_is_never) {
  weft::run([] {
    weft::channel<int> one(0);
    auto sender = weft::go([&] { one.push(1); });
    EXPECT_EQ(weft::select(weft::on_timeout(std::chrono::hours::max(), ignore), weft::on_pop(one, ignore)),
              1U);
    sender.join();
  });
}

TEST(select, takes_the_outcome_of_a_future_or_leaves_it) {
  weft::run([] {
    weft::promise<int> first, second;
    auto one = first.get_future();
    auto two = second.get_future();
    auto setter = weft::go([&] { first.set_value(6); });
    int got = 0;
    EXPECT_EQ(weft::select(
                  weft::on_ready(one, [&](weft::result<int> outcome) { got = std::move(outcome).value(); }),
                  weft::on_ready(two, [] {})),
              0U);
    EXPECT_EQ(got, 6);
    EXPECT_FALSE(one.valid());
    second.set_value(7);
    EXPECT_EQ(weft::select(weft::on_ready(two, [] {})), 0U);
    EXPECT_EQ(two.get(), 7);
    setter.join();
  });
}

TEST(select, gets_the_error_of_a_broken_promise_as_a_result) {
  auto made = std::make_unique<weft::promise<void>>();
  auto future = made->get_future();
  std::thread breaker([&] { made.reset(); });
  bool broken = false;
  weft::select(weft::on_ready(future, [&](weft::result<void> outcome) { broken = !outcome.has_value(); }));
  EXPECT_TRUE(broken);
  breaker.join();
}

TEST(select, joins_a_fiber_or_tells_that_it_is_done) {
  weft::run([] {
    auto quick = weft::go([] { return 3; });
    auto slow = weft::go([] { weft::sleep_for(1h); });
    int got = 0;
    EXPECT_EQ(weft::select(
                  weft::on_done(slow, ignore),
                  weft::on_done(quick, [&](weft::result<int> outcome) { got = std::move(outcome).value(); })),
              1U);
    EXPECT_EQ(got, 3);
    EXPECT_FALSE(quick.joinable());
    slow.cancel();
    EXPECT_EQ(weft::select(weft::on_done(slow, [] {})), 0U);
    EXPECT_THROW(slow.join(), weft::cancelled);
  });
}

TEST(select, hears_of_an_event_that_a_plain_thread_sets) {
  weft::event set;
  weft::channel<int> empty(1);
  std::thread outside([&] { set.set(); });
  weft::run([&] { EXPECT_EQ(weft::select(weft::on_pop(empty, ignore), weft::on_set(set, [] {})), 1U); });
  outside.join();
  EXPECT_EQ(weft::select(weft::on_set(set, [] {}), weft::otherwise([] {})), 0U);
  set.reset();
  EXPECT_EQ(weft::select(weft::on_set(set, [] {}), weft::otherwise([] {})), 1U);
}

TEST(select, takes_the_permit_of_a_parker_and_the_wake_of_a_thread_outside) {
  weft::parker parked;
  weft::external_waker outside;
  const auto look = [&] {
    return weft::select(weft::on_unpark(parked, [] {}), weft::on_wake(outside, [] {}),
                        weft::otherwise([] {}));
  };
  EXPECT_EQ(look(), 2U);
  parked.unpark();
  EXPECT_EQ(look(), 0U);
  EXPECT_EQ(look(), 2U);
  std::thread other([&] { outside.wake(); });
  weft::run(
      [&] { EXPECT_EQ(weft::select(weft::on_unpark(parked, [] {}), weft::on_wake(outside, [] {})), 1U); });
  other.join();
  EXPECT_EQ(look(), 2U);
  parked.unpark();
  parked.park();
}

TEST(select, a_permit_given_after_it_was_served_elsewhere_stays_for_the_next) {
  weft::run([] {
    weft::parker parked;
    weft::channel<int> one(0);
    auto waits =
        weft::go([&] { return weft::select(weft::on_unpark(parked, [] {}), weft::on_pop(one, ignore)); });
    weft::yield();
    EXPECT_TRUE(one.try_push(1));
    parked.unpark();
    EXPECT_EQ(waits.join(), 1U);
    EXPECT_TRUE(parked.park_for(0ms));
  });
}

TEST(select, when_leaves_a_case_out) {
  weft::channel<int> ready(2);
  ready.push(1);
  ready.push(2);
  const auto look = [&](bool open) {
    return weft::select(weft::when(open, weft::on_pop(ready, ignore)), weft::otherwise([] {}));
  };
  EXPECT_EQ(look(false), 1U);
  EXPECT_EQ(look(true), 0U);
  EXPECT_EQ(ready.size(), 1U);
}

TEST(select, with_every_case_left_out_is_an_error) {
  weft::channel<int> ready(1);
  ready.push(1);
  try {
    weft::select(weft::when(false, weft::on_pop(ready, ignore)));
    FAIL() << "it returned";
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::misuse);
    EXPECT_NE(refused.message().find("none of its cases is enabled"), std::string::npos);
  }
}

TEST(select, refuses_empty_handles_and_the_end_of_its_own_fiber) {
  weft::future<int> no_future;
  weft::fiber<void> no_fiber;
  EXPECT_THROW(weft::select(weft::on_ready(no_future, [] {})), weft::error);
  EXPECT_THROW(weft::select(weft::on_done(no_fiber, [] {})), weft::error);
  weft::run([] {
    weft::fiber<void> self;
    self = weft::go([&] { EXPECT_THROW(weft::select(weft::on_done(self, [] {})), weft::error); });
    weft::event ended;
    auto joiner = weft::go([&] {
      self.join();
      ended.set();
    });
    ended.wait();
    joiner.join();
  });
}

TEST(select, the_same_channel_may_stand_there_twice) {
  weft::run([] {
    weft::channel<int> both(0);
    auto sender = weft::go([&] { both.push(1); });
    EXPECT_LT(weft::select(weft::on_pop(both, ignore), weft::on_pop(both, ignore)), 2U);
    sender.join();
    EXPECT_EQ(both.statistics().consumers_waiting, 0U);
  });
}

TEST(select, does_not_meet_itself) {
  weft::run([] {
    weft::channel<int> both(0);
    auto waits = weft::go([&] {
      return weft::select(weft::on_push(both, 1, ignore), weft::on_pop(both, ignore),
                          weft::on_timeout(1h, ignore));
    });
    weft::yield();
    EXPECT_EQ(both.statistics().consumers_waiting, 1U);
    EXPECT_EQ(both.statistics().producers_waiting, 1U);
    EXPECT_EQ(both.pop(), 1);
    EXPECT_EQ(waits.join(), 0U);

    auto again =
        weft::go([&] { return weft::select(weft::on_push(both, 1, ignore), weft::on_pop(both, ignore)); });
    weft::yield();
    both.push(2);
    EXPECT_EQ(again.join(), 1U);
  });
}

TEST(select, two_of_them_meet_where_one_pushes_and_one_pops) {
  weft::run([] {
    weft::channel<int> left(0), right(0);
    int got = 0;
    auto one = weft::go(
        [&] { return weft::select(weft::on_push(left, 1, ignore), weft::on_push(right, 2, ignore)); });
    auto other = weft::go([&] {
      const auto take = [&](std::optional<int> value) { got = *value; };
      return weft::select(weft::on_pop(right, take), weft::on_pop(left, take));
    });
    const auto pushed = one.join();
    const auto popped = other.join();
    EXPECT_EQ(got, pushed == 0 ? 1 : 2);
    EXPECT_NE(pushed, popped);
    EXPECT_EQ(left.statistics().pushed + right.statistics().pushed, 1U);
    EXPECT_EQ(left.statistics().consumers_waiting + right.statistics().consumers_waiting, 0U);
    EXPECT_EQ(left.statistics().producers_waiting + right.statistics().producers_waiting, 0U);
  });
}

TEST(select, one_that_was_served_elsewhere_is_passed_over) {
  weft::run([] {
    weft::channel<int> first(0), second(0);
    auto chooser =
        weft::go([&] { return weft::select(weft::on_pop(first, ignore), weft::on_pop(second, ignore)); });
    auto plain = weft::go([&] { return second.pop(); });
    weft::yield();
    // The chooser is served by `first` and still stands in front of `second` when that is pushed to.
    EXPECT_TRUE(first.try_push(1));
    EXPECT_TRUE(second.try_push(2));
    EXPECT_FALSE(second.try_push(3));
    EXPECT_EQ(chooser.join(), 0U);
    EXPECT_EQ(plain.join(), 2);
  });
}

TEST(select, a_cancelled_one_has_done_nothing_and_left_all_lines) {
  weft::run([] {
    weft::channel<int> pops(0);
    weft::channel<std::unique_ptr<int>> pushes(0);
    auto value = std::make_unique<int>(1);
    auto waits =
        weft::go([&] { weft::select(weft::on_pop(pops, ignore), weft::on_push(pushes, value, ignore)); });
    weft::yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    EXPECT_NE(value, nullptr);
    EXPECT_EQ(pops.statistics().consumers_waiting, 0U);
    EXPECT_EQ(pushes.statistics().producers_waiting, 0U);
  });
}

TEST(select, is_a_cancellation_point_even_where_it_need_not_wait) {
  weft::channel<int> ready(1);
  ready.push(1);
  weft::cancel_scope scope;
  scope.cancel();
  EXPECT_THROW(weft::select(weft::on_pop(ready, ignore)), weft::cancelled);
  EXPECT_THROW(weft::select(weft::otherwise([] {})), weft::cancelled);
  EXPECT_EQ(ready.size(), 1U);
}

TEST(select, the_deadline_of_the_task_ends_it) {
  weft::channel<int> empty(1);
  EXPECT_THROW(weft::with_timeout(
                   5ms, [&] { weft::select(weft::on_pop(empty, ignore), weft::on_timeout(1h, ignore)); }),
               weft::deadline_exceeded);
}

TEST(select, refuses_to_wait_in_a_no_wait_scope_and_still_does_what_is_ready) {
  weft::channel<int> one(1);
  const weft::no_wait_scope here("a test");
  EXPECT_THROW(weft::select(weft::on_pop(one, ignore)), weft::error);
  EXPECT_EQ(one.statistics().consumers_waiting, 0U);
  one.push(1);
  EXPECT_EQ(weft::select(weft::on_pop(one, ignore)), 0U);
}

TEST(select, the_function_of_the_case_may_throw_and_select_again) {
  weft::channel<int> one(2);
  one.push(1);
  one.push(2);
  int inner = 0;
  const auto outer = [&](std::optional<int> value) {
    weft::select(weft::on_pop(one, [&](std::optional<int> next) { inner = *next; }));
    throw *value;
  };
  EXPECT_THROW(weft::select(weft::on_pop(one, outer)), int);
  EXPECT_EQ(inner, 2);
  EXPECT_EQ(one.size(), 0U);
}

TEST(select, works_on_a_plain_thread) {
  weft::channel<int> first(0), second(0);
  std::thread sender([&] {
    first.push(1);
    second.push(2);
  });
  int sum = 0;
  const auto add = [&](std::optional<int> value) { sum += *value; };
  for (int n = 0; n < 2; ++n) weft::select(weft::on_pop(first, add), weft::on_pop(second, add));
  EXPECT_EQ(sum, 3);
  sender.join();
}

}  // namespace
