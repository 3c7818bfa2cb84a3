#include <weft/fiber/channel.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

TEST(channel, gives_values_in_order_and_then_ends) {
  weft::run([] {
    weft::channel<int> numbers(2);
    auto producer = weft::go([&] {
      for (int i = 0; i < 10; ++i) EXPECT_TRUE(numbers.push(i));
      numbers.close();
    });
    std::vector<int> got;
    for (const int value : numbers) got.push_back(value);
    std::vector<int> expected(10);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(got, expected);
    producer.join();
  });
}

TEST(channel, of_capacity_0_hands_over_only_when_both_are_there) {
  weft::run([] {
    weft::channel<int> hand_off(0);
    int value = 5;
    EXPECT_FALSE(hand_off.try_push(value));
    bool pushed = false;
    auto producer = weft::go([&] {
      hand_off.push(7);
      pushed = true;
    });
    weft::yield();
    EXPECT_FALSE(pushed);
    EXPECT_EQ(hand_off.pop(), 7);
    producer.join();
    EXPECT_TRUE(pushed);
  });
}

TEST(channel, a_parked_push_wakes_when_the_channel_closes_and_keeps_nothing) {
  weft::run([] {
    weft::channel<std::unique_ptr<int>> full(1);
    full.push(std::make_unique<int>(1));
    auto parked = weft::go([&] { return full.push(std::make_unique<int>(2)); });
    weft::yield();
    EXPECT_EQ(full.statistics().producers_waiting, 1U);
    full.close();
    full.close();
    EXPECT_FALSE(parked.join());
    EXPECT_FALSE(full.push(std::make_unique<int>(3)));
    EXPECT_EQ(**full.pop(), 1);
    EXPECT_FALSE(full.pop().has_value());
  });
}

TEST(channel, a_parked_pop_wakes_empty_when_the_channel_closes) {
  weft::run([] {
    weft::channel<int> empty(1);
    auto parked = weft::go([&] { return empty.pop().has_value(); });
    weft::yield();
    empty.close();
    EXPECT_FALSE(parked.join());
  });
}

TEST(channel, serves_consumers_in_the_order_of_their_arrival) {
  weft::run([] {
    weft::channel<int> line(4);
    std::vector<weft::fiber<int>> consumers;
    for (int i = 0; i < 3; ++i) consumers.push_back(weft::go([&] { return *line.pop(); }));
    weft::yield();
    for (int i = 0; i < 3; ++i) line.push(i);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(consumers[static_cast<std::size_t>(i)].join(), i);
  });
}

TEST(channel, timed_forms_tell_value_closed_and_timed_out_apart) {
  weft::run([] {
    weft::channel<int> one(1);
    EXPECT_TRUE(one.pop_for(1ms).is_timed_out());
    int value = 1;
    EXPECT_EQ(one.push_for(value, 1ms), weft::wait_end::value);
    EXPECT_EQ(one.push_for(value, 1ms), weft::wait_end::timed_out);
    auto got = one.pop_for(1ms);
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(*got, 1);
    one.close();
    EXPECT_TRUE(one.pop_for(1ms).is_closed());
    EXPECT_EQ(one.push_for(value, 1ms), weft::wait_end::closed);
  });
}

TEST(channel, a_failed_push_leaves_the_value_with_the_caller) {
  weft::run([] {
    weft::channel<std::unique_ptr<int>> full(1);
    full.push(std::make_unique<int>(1));
    auto mine = std::make_unique<int>(2);
    EXPECT_FALSE(full.try_push(mine));
    ASSERT_NE(mine, nullptr);
    EXPECT_EQ(full.push_for(mine, 1ms), weft::wait_end::timed_out);
    ASSERT_NE(mine, nullptr);
    EXPECT_EQ(*mine, 2);
  });
}

TEST(channel, a_cancelled_wait_leaves_it_unchanged) {
  weft::run([] {
    weft::channel<int> empty(1);
    auto consumer = weft::go([&] { empty.pop(); });
    weft::yield();
    consumer.cancel();
    EXPECT_THROW(consumer.join(), weft::cancelled);
    EXPECT_EQ(empty.statistics().consumers_waiting, 0U);
    empty.push(4);
    EXPECT_EQ(empty.pop(), 4);
  });
}

TEST(channel, a_value_handed_over_at_the_moment_of_cancellation_is_not_lost) {
  weft::run([] {
    weft::channel<int> hand_off(0);
    int received = 0;
    auto consumer = weft::go([&] {
      if (auto value = hand_off.pop()) received = *value;
      weft::sleep_for(1h);
    });
    weft::yield();
    hand_off.push(9);
    consumer.cancel();
    EXPECT_THROW(consumer.join(), weft::cancelled);
    EXPECT_EQ(received, 9);
  });
}

TEST(channel, destroys_what_is_left_in_it) {
  auto counted = std::make_shared<int>(1);
  {
    weft::channel<std::shared_ptr<int>> left(4);
    left.push(counted);
    left.push(counted);
    EXPECT_EQ(counted.use_count(), 3);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(channel, refuses_an_absurd_capacity) {
  EXPECT_THROW(weft::channel<char>(std::size_t{1} << 40), weft::error);
}

TEST(channel, forms_until_a_point_in_time_do_as_the_forms_for_a_time) {
  weft::channel<int> one(1);
  const auto soon = [] { return weft::steady_clock::now() + 1ms; };
  EXPECT_TRUE(one.pop_until(soon()).is_timed_out());
  EXPECT_EQ(one.push_until(3, soon()), weft::wait_end::value);
  EXPECT_EQ(one.push_until(4, soon()), weft::wait_end::timed_out);
  auto got = one.pop_until(soon());
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(*got, 3);
  EXPECT_TRUE(one.pop_for(0ms).is_timed_out());
  EXPECT_TRUE(one.pop_for(-1ms).is_timed_out());
}

TEST(channel, says_what_is_in_it_who_waits_and_what_went_through) {
  weft::run([] {
    weft::channel<int> two(2);
    two.push(1);
    two.push(2);
    auto waits = weft::go([&] { two.push(3); });
    weft::yield();
    auto now = two.statistics();
    EXPECT_EQ(now.size, 2U);
    EXPECT_EQ(now.producers_waiting, 1U);
    EXPECT_EQ(now.consumers_waiting, 0U);
    EXPECT_EQ(now.pushed, 2U);
    EXPECT_EQ(now.popped, 0U);
    EXPECT_EQ(two.pop(), 1);
    waits.join();
    now = two.statistics();
    EXPECT_EQ(two.size(), 2U);
    EXPECT_EQ(now.producers_waiting, 0U);
    EXPECT_EQ(now.pushed, 3U);
    EXPECT_EQ(now.popped, 1U);
    EXPECT_EQ(two.pop(), 2);
    EXPECT_EQ(two.pop(), 3);
    auto takes = weft::go([&] { return two.pop(); });
    weft::yield();
    EXPECT_EQ(two.statistics().consumers_waiting, 1U);
    two.push(4);
    EXPECT_EQ(takes.join(), 4);
    EXPECT_EQ(two.statistics().popped, 4U);
  });
}

TEST(channel, is_closed_once) {
  weft::channel<int> one(1);
  EXPECT_FALSE(one.is_closed());
  EXPECT_TRUE(one.close());
  EXPECT_FALSE(one.close());
  EXPECT_TRUE(one.is_closed());
  EXPECT_FALSE(one.try_push(1));
}

TEST(channel, may_be_destroyed_by_who_got_the_last_value_while_its_push_returns) {
  for (int n = 0; n < 300; ++n) {
    auto answer = std::make_unique<weft::channel<int>>(1);
    std::thread asked([at = answer.get()] { at->push(7); });
    EXPECT_EQ(answer->pop(), 7);
    answer.reset();
    asked.join();
  }
}

TEST(channel_death, destroyed_under_a_waiter_ends_the_program_and_says_why) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(weft::run([] {
                 auto gone = std::make_unique<weft::channel<int>>(1);
                 auto waits = weft::go([at = gone.get()] { at->pop(); });
                 weft::yield();
                 gone.reset();
               }),
               "a channel was destroyed while 0 producers and 1 consumers wait at it");
}

/// Its destructor uses the channel that carried it.
struct answers_at_its_end {
  weft::channel<int>* back;
  explicit answers_at_its_end(weft::channel<int>& to) : back(&to) {}
  answers_at_its_end(answers_at_its_end&& other) noexcept : back(std::exchange(other.back, nullptr)) {}
  ~answers_at_its_end() {
    if (back != nullptr) back->push(1);
  }
};

TEST(channel, a_value_may_use_channels_in_its_destructor_wherever_it_ends) {
  weft::channel<int> ends(16);
  {
    weft::channel<answers_at_its_end> odd(2);
    odd.push(answers_at_its_end(ends));
    odd.push(answers_at_its_end(ends));
    EXPECT_FALSE(odd.try_push(answers_at_its_end(ends)));
    EXPECT_EQ(odd.push_for(answers_at_its_end(ends), 1ms), weft::wait_end::timed_out);
    EXPECT_TRUE(odd.pop().has_value());
    odd.close();
    EXPECT_FALSE(odd.push(answers_at_its_end(ends)));
    EXPECT_EQ(ends.size(), 4U);
  }
  EXPECT_EQ(ends.size(), 5U);
}

TEST(channel, carries_values_between_threads_without_loss) {
  const int count = sanitized ? 5'000 : 100'000;
  weft::channel<int> numbers(16);
  long long sum = 0;
  std::thread producer([&] {
    for (int i = 1; i <= count; ++i) numbers.push(i);
    numbers.close();
  });
  weft::run([&] {
    std::vector<weft::fiber<long long>> consumers;
    for (int c = 0; c < 4; ++c) {
      consumers.push_back(weft::go([&] {
        long long mine = 0;
        for (const int value : numbers) mine += value;
        return mine;
      }));
    }
    for (auto& one : consumers) sum += one.join();
  });
  producer.join();
  EXPECT_EQ(sum, static_cast<long long>(count) * (count + 1) / 2);
}

}  // namespace
