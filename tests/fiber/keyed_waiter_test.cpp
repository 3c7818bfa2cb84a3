#include <weft/fiber/keyed_waiter.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "support/limited_memory.hpp"

namespace {

using namespace std::chrono_literals;
using answers = weft::keyed_waiter<int, std::string>;

TEST(keyed_waiter, gives_each_answer_to_the_one_who_expected_its_key_first) {
  weft::run([] {
    answers all;
    auto first = all.expect(1);
    auto second = all.expect(1);
    auto other = all.expect(2);
    auto reader = weft::go([&] {
      EXPECT_TRUE(all.put(2, "two"));
      EXPECT_TRUE(all.put(1, "one"));
      EXPECT_TRUE(all.put(1, "one again"));
      EXPECT_FALSE(all.put(1, "nobody"));
    });
    EXPECT_EQ(first.get(), "one");
    EXPECT_EQ(second.get(), "one again");
    EXPECT_EQ(*other.get_for(1h), "two");
    EXPECT_EQ(all.expected(), 0U);
    reader.join();
  });
}

TEST(keyed_waiter, an_answer_that_comes_before_the_wait_is_there) {
  answers all;
  auto early = all.expect(1);
  all.put(1, "early");
  EXPECT_EQ(early.get(), "early");
}

TEST(keyed_waiter, an_expectation_that_ends_takes_itself_back) {
  answers all;
  { auto dropped = all.expect(1); }
  EXPECT_EQ(all.expected(), 0U);
  EXPECT_FALSE(all.put(1, "late"));
}

TEST(keyed_waiter, a_wait_that_is_cut_short_leaves_the_expectation) {
  answers all;
  auto waits = all.expect(1);
  EXPECT_TRUE(waits.get_for(1ms).is_timed_out());
  EXPECT_THROW(weft::with_timeout(1ms, [&] { waits.get(); }), weft::deadline_exceeded);
  all.put(1, "there");
  EXPECT_EQ(waits.get(), "there");
}

TEST(keyed_waiter, errors_and_the_end_reach_those_who_wait) {
  answers all(2);
  auto fails = all.expect(1);
  auto left = all.expect(2);
  EXPECT_THROW(static_cast<void>(all.expect(3)), weft::error);
  all.fail(1, std::make_exception_ptr(std::runtime_error("lost")));
  EXPECT_THROW(fails.get(), std::runtime_error);
  all.close();
  EXPECT_THROW(left.get(), weft::error);
  EXPECT_THROW(static_cast<void>(all.expect(3)), weft::error);
}

/// A key whose moves, copies and hash do what the test says.
struct odd_key {
  static inline bool fails = false;
  static inline bool waits = false;

  explicit odd_key(int of) : number(of) {}
  odd_key(odd_key&& other) : number(other.number) { may_fail(); }  // NOLINT: it throws
  odd_key(const odd_key& other) : number(other.number) { may_fail(); }
  odd_key& operator=(odd_key&&) = delete;
  ~odd_key() = default;
  friend bool operator==(const odd_key& one, const odd_key& other) { return one.number == other.number; }
  static void may_fail() {
    if (fails) throw std::runtime_error("not now");
  }
  struct hash {
    std::size_t operator()(const odd_key& of) const {
      if (waits) weft::sleep_for(1ms);
      return static_cast<std::size_t>(of.number);
    }
  };
  int number;
};

TEST(keyed_waiter, an_expectation_that_fails_leaves_nothing) {
  weft::keyed_waiter<odd_key, int, odd_key::hash> all;
  auto key = odd_key(1);
  odd_key::fails = true;
  EXPECT_THROW(static_cast<void>(all.expect(std::move(key))), std::runtime_error);
  odd_key::fails = false;
  EXPECT_EQ(all.expected(), 0U);
  EXPECT_FALSE(all.put(key, 1));
  auto expected = all.expect(std::move(key));
  odd_key::fails = true;
  auto moved = std::move(expected);  // its key stays where it is
  odd_key::fails = false;
  EXPECT_TRUE(all.put(key, 2));
  EXPECT_EQ(moved.get(), 2);
}

TEST(keyed_waiter, hash_of_keys_does_not_wait_under_the_lock) {
  weft::run([] {
    weft::keyed_waiter<odd_key, int, odd_key::hash> all;
    odd_key::waits = true;
    EXPECT_THROW(static_cast<void>(all.expect(odd_key(1))), weft::error);
    odd_key::waits = false;
    EXPECT_EQ(all.expected(), 0U);
  });
}

TEST(keyed_waiter, an_expectation_for_which_there_is_no_memory_leaves_nothing) {
  for (int n = 0;; ++n) {
    answers all;
    weft::testing::allocations_left = n;
    try {
      const auto made = all.expect(1);
      weft::testing::allocations_left = -1;
      EXPECT_GT(n, 0);
      return;
    } catch (const std::bad_alloc&) {
      weft::testing::allocations_left = -1;
    }
    EXPECT_EQ(all.expected(), 0U);
    EXPECT_FALSE(all.put(1, "nobody"));
  }
}

}  // namespace
