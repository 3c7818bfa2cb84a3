#include <weft/core/timer_wheel.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace {

using weft::detail::timer_node;
using weft::detail::timer_wheel;

std::vector<std::uint64_t> fired_until(timer_wheel& wheel, std::uint64_t now) {
  std::vector<std::uint64_t> due;
  wheel.advance(now, [&](timer_node& node) { due.push_back(node.due); });
  return due;
}

TEST(timer_wheel, fires_what_is_due_in_order_and_nothing_else) {
  timer_wheel wheel;
  timer_node nodes[5];
  const std::uint64_t due[] = {70, 5, 5000, 64, 300'000};
  for (int i = 0; i < 5; ++i) wheel.arm(nodes[i], due[i]);
  EXPECT_EQ(wheel.size(), 5U);
  EXPECT_TRUE(fired_until(wheel, 4).empty());
  EXPECT_EQ(fired_until(wheel, 64), (std::vector<std::uint64_t>{5, 64}));
  EXPECT_EQ(fired_until(wheel, 4999), (std::vector<std::uint64_t>{70}));
  EXPECT_EQ(fired_until(wheel, 300'000), (std::vector<std::uint64_t>{5000, 300'000}));
  EXPECT_TRUE(wheel.empty());
}

TEST(timer_wheel, a_time_that_has_passed_fires_at_the_next_advance) {
  timer_wheel wheel;
  wheel.advance(1000, [](timer_node&) {});
  timer_node late;
  wheel.arm(late, 3);
  EXPECT_EQ(wheel.next_tick(), 1000U);
  EXPECT_EQ(fired_until(wheel, 1000).size(), 1U);
}

TEST(timer_wheel, a_cancelled_timer_does_not_fire) {
  timer_wheel wheel;
  timer_node kept;
  timer_node cancelled;
  wheel.arm(kept, 100);
  wheel.arm(cancelled, 100);
  wheel.cancel(cancelled);
  EXPECT_FALSE(cancelled.armed());
  EXPECT_EQ(fired_until(wheel, 200).size(), 1U);
  EXPECT_FALSE(wheel.next_tick().has_value());
}

TEST(timer_wheel, a_fired_timer_may_arm_and_cancel_others) {
  timer_wheel wheel;
  timer_node first;
  timer_node second;
  timer_node victim;
  wheel.arm(first, 10);
  wheel.arm(victim, 10);
  int fired = 0;
  wheel.advance(50, [&](timer_node& node) {
    ++fired;
    if (&node != &first) return;
    wheel.cancel(victim);
    wheel.arm(second, 20);
  });
  EXPECT_EQ(fired, 2);
  EXPECT_TRUE(wheel.empty());
}

TEST(timer_wheel, agrees_with_a_sorted_map_on_random_operations) {
  std::mt19937_64 random(7);
  timer_wheel wheel;
  std::vector<timer_node> nodes(500);
  std::multimap<std::uint64_t, timer_node*> model;
  std::uint64_t now = 0;
  for (int round = 0; round < 20'000; ++round) {
    timer_node& node = nodes[random() % nodes.size()];
    if (node.armed()) {
      wheel.cancel(node);
      std::erase_if(model, [&](const auto& entry) { return entry.second == &node; });
    } else {
      const std::uint64_t ahead = random() % (std::uint64_t{1} << (random() % 40));
      wheel.arm(node, now + ahead);
      model.emplace(now + ahead, &node);
    }
    if (round % 7 != 0) continue;
    if (const auto next = wheel.next_tick()) {
      ASSERT_LE(*next, std::max(now, model.begin()->first));
    }
    now += random() % (std::uint64_t{1} << (random() % 38));
    std::size_t fired = 0;
    std::uint64_t last = 0;
    wheel.advance(now, [&](timer_node& due) {
      ++fired;
      ASSERT_LE(due.due, now);
      ASSERT_GE(due.due, last);
      last = due.due;
    });
    const auto end = model.upper_bound(now);
    ASSERT_EQ(fired, static_cast<std::size_t>(std::distance(model.begin(), end)));
    model.erase(model.begin(), end);
  }
}

TEST(timer_wheel, one_beyond_its_rim_does_not_hold_up_those_before) {
  timer_wheel wheel;
  timer_node beyond;
  timer_node before;
  wheel.arm(beyond, (std::uint64_t{1} << 36) + 5);
  wheel.arm(before, std::uint64_t{1} << 31);
  EXPECT_LE(wheel.next_tick(), std::uint64_t{1} << 31);
  EXPECT_EQ(fired_until(wheel, std::uint64_t{1} << 31), (std::vector<std::uint64_t>{std::uint64_t{1} << 31}));
  EXPECT_TRUE(fired_until(wheel, (std::uint64_t{1} << 36) + 4).empty());
  EXPECT_EQ(fired_until(wheel, (std::uint64_t{1} << 36) + 5).size(), 1U);
}

TEST(timer_wheel, armed_after_a_long_idle_time_is_neither_early_nor_late) {
  timer_wheel wheel;
  const std::uint64_t now = (std::uint64_t{1} << 33) + 12'345;  // nothing was armed since tick 0
  timer_node node;
  wheel.arm(node, now + 3);
  ASSERT_LE(wheel.next_tick(), now + 3);
  EXPECT_TRUE(fired_until(wheel, now + 2).empty());
  EXPECT_EQ(wheel.next_tick(), now + 3);
  EXPECT_EQ(fired_until(wheel, now + 3).size(), 1U);
}

}  // namespace
