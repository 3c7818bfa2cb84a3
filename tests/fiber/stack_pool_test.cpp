#include "fiber/stack.hpp"

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/testing/fault.hpp>

#include "fiber/sanitizer.hpp"
#include "fiber/stack_memory.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;
using weft::stack_guard;
using weft::detail::stack_pool;
using weft::detail::stack_record;

constexpr std::size_t stack_bytes = 64 * 1024;
const weft::steady_time start = weft::steady_clock::now();

std::size_t resident_bytes(const stack_record& stack) { return weft::detail::touched_bytes(stack); }

bool is_resident(const void* address) {
  unsigned char resident = 0;
  auto* const page = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(address) / 4096 * 4096);
  EXPECT_EQ(mincore(page, 4096, &resident), 0);
  return (resident & 1) != 0;
}

[[gnu::no_sanitize_address]] void touch_all(const stack_record& stack) {
  weft::detail::sanitizer::prepare(const_cast<stack_record&>(stack));
  std::memset(const_cast<char*>(stack.bottom), 1, stack.bytes);
}

std::vector<stack_record*> take(stack_pool& pool, std::size_t count) {
  std::vector<stack_record*> taken;
  for (std::size_t i = 0; i < count; ++i) taken.push_back(pool.acquire());
  return taken;
}

void give(stack_pool& pool, const std::vector<stack_record*>& stacks) {
  for (stack_record* const one : stacks) pool.release(*one);
}

class stack_guards : public testing::TestWithParam<stack_guard> {};

TEST_P(stack_guards, stand_below_each_stack_and_leave_the_stacks_usable) {
  stack_pool pool(stack_bytes, 8, GetParam());
  const auto stacks = take(pool, 5);
  for (const stack_record* one : stacks) {
    ASSERT_NE(one, nullptr);
    EXPECT_TRUE(pool.is_guard(one->bottom - 1));
    EXPECT_FALSE(pool.is_guard(one->bottom));
    touch_all(*one);
  }
  if (GetParam() == stack_guard::canary) {
    for (const stack_record* one : stacks) EXPECT_TRUE(weft::detail::canary_is_whole(one->canary));
  }
  give(pool, stacks);
}

INSTANTIATE_TEST_SUITE_P(each, stack_guards,
                         testing::Values(weft::stack_guard_in_use(), stack_guard::mprotect,
                                         stack_guard::canary),
                         [](const auto& one) {
                           return std::to_string(one.index) + std::string(to_string(one.param));
                         });

TEST(stack_pool, hands_out_the_stack_that_came_back_last) {
  stack_pool pool(stack_bytes);
  const auto stacks = take(pool, 3);
  give(pool, stacks);
  EXPECT_EQ(pool.acquire(), stacks[2]);
  EXPECT_EQ(pool.acquire(), stacks[1]);
  EXPECT_EQ(pool.made(), 3u);
  give(pool, {stacks[1], stacks[2]});
}

TEST(stack_pool, gives_back_what_was_not_needed_for_an_interval_beyond_its_bound) {
  stack_pool pool(stack_bytes, 4);
  const auto stacks = take(pool, 20);
  std::vector<const char*> bottoms;
  for (const auto* one : stacks) {
    touch_all(*one);
    bottoms.push_back(one->bottom);
  }
  give(pool, stacks);
  EXPECT_TRUE(pool.has_excess());
  pool.tidy(start);
  EXPECT_EQ(pool.hot(), 20u) << "nothing is known of the time before";
  pool.tidy(start + stack_pool::tidy_interval);
  EXPECT_EQ(pool.hot(), 4u);
  EXPECT_EQ(pool.cold(), 16u);
  EXPECT_FALSE(pool.has_excess());
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_FALSE(is_resident(bottoms[i]));
    EXPECT_FALSE(is_resident(stacks[i])) << "nor the page of the record";
  }
  for (std::size_t i = 16; i < 20; ++i) EXPECT_TRUE(is_resident(bottoms[i]));
}

TEST(stack_pool, keeps_what_was_needed_within_the_interval) {
  stack_pool pool(stack_bytes, 4);
  give(pool, take(pool, 20));
  pool.tidy(start);
  give(pool, take(pool, 12));  // 8 were left free
  pool.tidy(start + stack_pool::tidy_interval);
  EXPECT_EQ(pool.hot(), 16u);
  EXPECT_EQ(pool.cold(), 4u);
  pool.tidy(start + 2 * stack_pool::tidy_interval);
  EXPECT_EQ(pool.hot(), 4u);
}

TEST(stack_pool, gives_back_many_stacks_in_bounded_steps) {
  const std::size_t count = sanitized ? 1500 : 3000;
  stack_pool pool(16 * 1024, 0);
  give(pool, take(pool, count));
  pool.tidy(start);
  const auto later = start + stack_pool::tidy_interval;
  std::size_t steps = 0;
  while (pool.has_excess() && steps < 10) {
    const std::size_t before = pool.hot();
    pool.tidy(later);
    EXPECT_LE(before - pool.hot(), 1024u);
    ++steps;
  }
  EXPECT_EQ(pool.cold(), count);
  EXPECT_EQ(steps, (count + 1023) / 1024);
}

TEST(stack_pool, uses_stacks_that_were_given_back_before_it_makes_new_ones) {
  stack_pool pool(stack_bytes, 0);
  give(pool, take(pool, 3));
  pool.tidy(start);
  pool.tidy(start + stack_pool::tidy_interval);
  ASSERT_EQ(pool.cold(), 3u);
  const auto again = take(pool, 3);
  for (const auto* one : again) {
    touch_all(*one);
    EXPECT_TRUE(pool.is_guard(one->bottom - 1));
  }
  EXPECT_EQ(pool.made(), 3u);
  give(pool, again);
}

TEST(stack_pool, gives_back_the_depth_of_stacks_that_come_back_now_and_then) {
  stack_pool pool(256 * 1024);
  stack_record* const stack = pool.acquire();
  touch_all(*stack);
  pool.release(*stack);
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(pool.acquire(), stack);
    pool.release(*stack);
  }
  EXPECT_LE(resident_bytes(*stack), 32u * 1024);
  EXPECT_TRUE(is_resident(stack));
}

// Errors of the system.

weft::testing::fault fails_once(const std::string& call) {
  return weft::testing::fault("weft.fiber.stack." + call, weft::testing::fails(ENOMEM), {.times = 1});
}

class failing_stack_calls : public testing::TestWithParam<std::string> {};

TEST_P(failing_stack_calls, end_one_fiber_with_resource_exhausted_and_no_other) {
  weft::run(
      [] {
        int ran = 0;
        const auto call = fails_once(GetParam());
        auto unlucky = weft::go_now([&] { ++ran; });
        EXPECT_EQ(call.struck(), 1U);
        try {
          unlucky.join();
          ADD_FAILURE() << "ran without a stack";
        } catch (const weft::error& why) {
          EXPECT_EQ(why.code(), weft::errc::resource_exhausted);
          EXPECT_NE(why.message().find("get a stack"), std::string::npos) << why.message();
        }
        EXPECT_EQ(ran, 0);
        weft::go([&] { ++ran; }).join();
        EXPECT_EQ(ran, 1);
      },
      // One stack a slab, so that main's does not bring others along.
      {.stack_bytes = 64 * 1024 * 1024});
}

INSTANTIATE_TEST_SUITE_P(each, failing_stack_calls,
                         testing::Values("mmap", weft::stack_guard_in_use() == stack_guard::lightweight
                                                     ? "madvise"
                                                     : "mprotect"),
                         [](const auto& one) { return one.param; });

TEST(stack_pool, whose_memory_cannot_be_given_back_goes_on) {
  stack_pool pool(stack_bytes, 0);
  give(pool, take(pool, 3));
  pool.tidy(start);
  {
    const auto call = fails_once("madvise");
    pool.tidy(start + stack_pool::tidy_interval);
    EXPECT_EQ(call.struck(), 1U);
  }
  const auto again = take(pool, 3);
  for (const auto* one : again) touch_all(*one);
  give(pool, again);
}

// Sanitizers keep notes of each use.
TEST(stack_pool, gives_the_same_stack_again_and_again) {
  weft::run([] {
    int ended = 0;
    for (int i = 0; i < 100'000; ++i) {
      const auto one = weft::go_now([&] { ++ended; });
    }
    EXPECT_EQ(ended, 100'000);
  });
}

}  // namespace
