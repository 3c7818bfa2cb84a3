#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include <weft/core/clock.hpp>
#include <weft/core/result.hpp>
#include <weft/core/unique_function.hpp>

namespace weft {
namespace {

using namespace std::chrono_literals;

/// Counts those alive.
struct counted {
  static inline int alive = 0;
  counted() { ++alive; }
  counted(const counted&) { ++alive; }
  counted(counted&&) noexcept { ++alive; }
  counted& operator=(const counted&) = default;
  counted& operator=(counted&&) = default;
  ~counted() { --alive; }
};

TEST(unique_function, owns_a_callable_that_cannot_be_copied) {
  unique_function<int(int)> add = [held = std::make_unique<int>(40)](int n) { return *held + n; };
  EXPECT_EQ(add(2), 42);
  auto moved = std::move(add);
  EXPECT_FALSE(static_cast<bool>(add));  // NOLINT(bugprone-use-after-move): what a move leaves is promised
  EXPECT_EQ(moved(3), 43);
}

template <std::size_t Bytes>
void owns_and_destroys_once() {
  {
    unique_function<std::size_t()> first = [ballast = std::array<char, Bytes>{}, one = counted()] {
      return ballast.size();
    };
    EXPECT_EQ(counted::alive, 1);
    auto second = std::move(first);
    EXPECT_EQ(counted::alive, 1);
    EXPECT_EQ(second(), Bytes);
    unique_function<std::size_t()> third = [] { return std::size_t{0}; };
    third = std::move(second);
    EXPECT_EQ(third(), Bytes);
    EXPECT_EQ(counted::alive, 1);
    third.reset();
    EXPECT_EQ(counted::alive, 0);
    EXPECT_FALSE(static_cast<bool>(third));
  }
  EXPECT_EQ(counted::alive, 0);
}

TEST(unique_function, destroys_a_small_callable_once) { owns_and_destroys_once<8>(); }
TEST(unique_function, destroys_a_large_callable_once) { owns_and_destroys_once<400>(); }

TEST(unique_function, keeps_a_callable_whose_move_may_throw_in_one_place) {
  struct moves_badly {
    moves_badly() = default;
    moves_badly(moves_badly&& other) : value(other.value) {}  // NOLINT: not noexcept on purpose
    moves_badly(const moves_badly&) = default;
    int value = 7;
    int operator()() const { return value; }
  };
  unique_function<int()> held = moves_badly();
  auto moved = std::move(held);
  EXPECT_EQ(moved(), 7);
}

TEST(unique_function, passes_references_and_move_only_arguments_through) {
  int seen = 0;
  unique_function<void(int&)> set = [](int& into) { into = 5; };
  set(seen);
  EXPECT_EQ(seen, 5);
  unique_function<std::unique_ptr<int>(std::unique_ptr<int>)> hand_on = [](std::unique_ptr<int> it) {
    return it;
  };
  EXPECT_EQ(*hand_on(std::make_unique<int>(6)), 6);
}

TEST(unique_function, of_void_takes_a_callable_with_any_result) {
  int calls = 0;
  unique_function<void()> small = [&] { return ++calls; };
  unique_function<void()> large = [&, ballast = std::array<char, 400>{}] {
    return ++calls + static_cast<int>(ballast.size());
  };
  small();
  large();
  EXPECT_EQ(calls, 2);
}

TEST(unique_function, lets_exceptions_out_and_can_be_called_again) {
  int calls = 0;
  unique_function<void()> fails = [&] {
    if (++calls == 1) throw std::runtime_error("first");
  };
  EXPECT_THROW(fails(), std::runtime_error);
  EXPECT_NO_THROW(fails());
}

TEST(unique_function, is_empty_until_it_is_given_something) {
  unique_function<void()> none;
  unique_function<void()> null = nullptr;
  EXPECT_FALSE(static_cast<bool>(none));
  EXPECT_FALSE(static_cast<bool>(null));
  none = [] {};
  EXPECT_TRUE(static_cast<bool>(none));
  none = nullptr;
  EXPECT_FALSE(static_cast<bool>(none));
}

TEST(result, holds_a_value_or_the_exception) {
  auto good = result<int>::of([] { return 42; });
  EXPECT_TRUE(good.has_value());
  EXPECT_EQ(good.error(), nullptr);
  EXPECT_EQ(good.value(), 42);
  auto bad = result<int>::of([]() -> int { throw std::out_of_range("no"); });
  EXPECT_FALSE(bad);
  EXPECT_NE(bad.error(), nullptr);
  EXPECT_THROW(bad.value(), std::out_of_range);
  EXPECT_THROW(std::move(bad).value(), std::out_of_range);
}

TEST(result, of_void_is_success_by_default_and_keeps_any_exception) {
  EXPECT_TRUE(result<void>().has_value());
  EXPECT_NO_THROW(result<void>::of([] {}).value());
  EXPECT_THROW(result<void>::of([] { throw 42; }).value(), int);
}

TEST(result, moves_its_value_out) {
  auto made = result<std::unique_ptr<int>>::of([] { return std::make_unique<int>(1); });
  const std::unique_ptr<int> taken = std::move(made).value();
  EXPECT_EQ(*taken, 1);
}

TEST(waited, tells_a_value_from_closed_and_from_timed_out) {
  waited<std::string> value(std::string("x"));
  EXPECT_TRUE(value.has_value());
  EXPECT_EQ(*value, "x");
  EXPECT_EQ(value->size(), 1U);
  const auto closed = waited<std::string>::closed();
  EXPECT_TRUE(closed.is_closed());
  EXPECT_FALSE(closed);
  const auto late = waited<std::string>::timed_out();
  EXPECT_TRUE(late.is_timed_out());
  EXPECT_FALSE(late.is_closed());
  EXPECT_EQ(late.end(), wait_end::timed_out);
}

TEST(clock, a_wait_too_long_to_be_reached_has_no_deadline) {
  EXPECT_EQ(deadline_after(std::chrono::hours::max()), no_deadline);
  EXPECT_EQ(deadline_after(std::chrono::duration<double>(1e300)), no_deadline);
  EXPECT_EQ(deadline_after(std::chrono::duration<double>(std::numeric_limits<double>::infinity())),
            no_deadline);
}

TEST(clock, a_short_wait_is_rounded_up_and_a_negative_one_has_passed) {
  const auto before = steady_clock::now();
  EXPECT_GE(deadline_after(1ms), before + 1ms);
  const auto passed = deadline_after(-1s);
  EXPECT_LE(passed, steady_clock::now());
  EXPECT_GT(deadline_after(std::chrono::duration<double, std::nano>(0.5)), before);
}

}  // namespace
}  // namespace weft
