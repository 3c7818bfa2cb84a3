#include <weft/fiber/selector.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

const auto ignore = [](auto&&...) {};

TEST(selector, waits_for_any_number_of_channels_again_and_again) {
  weft::run([] {
    constexpr int count = 40;
    std::deque<weft::channel<int>> sources;
    weft::selector any;
    std::vector<int> got;
    for (int n = 0; n < count; ++n) {
      sources.emplace_back(0);
      EXPECT_EQ(
          any.add(weft::on_pop(sources.back(), [&](std::optional<int> value) { got.push_back(*value); })),
          static_cast<std::size_t>(n));
    }
    auto sender = weft::go([&] {
      for (int n = count - 1; n >= 0; --n) sources[static_cast<std::size_t>(n)].push(n);
    });
    for (int n = count - 1; n >= 0; --n) {
      EXPECT_EQ(any.wait(), static_cast<std::size_t>(n));
      EXPECT_EQ(got.back(), n);
    }
    sender.join();
    for (auto& one : sources) EXPECT_EQ(one.statistics().consumers_waiting, 0U);
  });
}

TEST(selector, drains_channels_and_leaves_out_those_that_are_closed) {
  std::deque<weft::channel<int>> sources;
  weft::selector any;
  int sum = 0;
  std::size_t open = 3;
  for (std::size_t n = 0; n < 3; ++n) {
    sources.emplace_back(4);
    any.add(weft::on_pop(sources.back(), [&, n](std::optional<int> value) {
      if (value) {
        sum += *value;
      } else {
        any.enable(n, false);
        --open;
      }
    }));
    sources.back().push(static_cast<int>(n) + 1);
    sources.back().close();
  }
  while (open > 0) any.wait();
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(any.try_wait(), std::nullopt);
  EXPECT_EQ(any.wait_for(1ms), std::nullopt);
  EXPECT_THROW(any.wait(), weft::error);
}

TEST(selector, without_cases_is_an_error_where_nothing_bounds_it) {
  weft::selector none;
  EXPECT_EQ(none.size(), 0U);
  EXPECT_THROW(none.wait(), weft::error);
  EXPECT_EQ(none.wait_for(1ms), std::nullopt);
  EXPECT_EQ(none.try_wait(), std::nullopt);
  EXPECT_THROW(none.enable(0, true), weft::error);
}

TEST(selector, times_count_from_each_wait) {
  weft::channel<int> empty(1);
  weft::selector any;
  any.add(weft::on_pop(empty, ignore));
  any.add(weft::on_timeout(3ms, ignore));
  for (int n = 0; n < 3; ++n) {
    const auto begin = weft::steady_clock::now();
    EXPECT_EQ(any.wait(), 1U);
    EXPECT_GE(weft::steady_clock::now() - begin, 3ms);
  }
  EXPECT_EQ(any.wait_for(0ms), std::nullopt);
}

TEST(selector, pushes_what_a_variable_holds_each_time_and_an_own_value_once) {
  weft::channel<int> to(8);
  weft::selector any;
  int value = 1;
  const auto by_reference = any.add(weft::on_push(to, value, ignore));
  EXPECT_EQ(any.wait(), by_reference);
  value = 2;
  EXPECT_EQ(any.wait(), by_reference);
  any.enable(by_reference, false);
  const auto own = any.add(weft::on_push(to, 3, [](bool pushed) { EXPECT_TRUE(pushed); }));
  EXPECT_EQ(any.wait(), own);
  EXPECT_FALSE(any.enabled(own));
  EXPECT_EQ(any.try_wait(), std::nullopt);
  EXPECT_EQ(to.pop(), 1);
  EXPECT_EQ(to.pop(), 2);
  EXPECT_EQ(to.pop(), 3);
}

TEST(selector, takes_each_outcome_once) {
  weft::run([] {
    weft::promise<int> promised;
    auto future = promised.get_future();
    auto fiber = weft::go([] { return 2; });
    int sum = 0;
    const auto add = [&](weft::result<int> outcome) { sum += std::move(outcome).value(); };
    weft::selector any;
    any.add(weft::on_ready(future, add));
    any.add(weft::on_done(fiber, add));
    EXPECT_EQ(any.wait(), 1U);
    promised.set_value(5);
    EXPECT_EQ(any.wait(), 0U);
    EXPECT_EQ(sum, 7);
    EXPECT_THROW(any.wait(), weft::error);
  });
}

TEST(selector, tells_when_a_handle_of_a_case_was_emptied_meanwhile) {
  weft::promise<int> promised;
  auto future = promised.get_future();
  weft::selector any;
  any.add(weft::on_ready(future, [] {}));
  promised.set_value(1);
  EXPECT_EQ(any.wait(), 0U);
  EXPECT_EQ(future.get(), 1);
  EXPECT_THROW(any.wait(), weft::error);
}

}  // namespace
