// What a loop learns from its waits.

#include "fiber/short_waits.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace {

using weft::detail::short_waits;
using namespace std::chrono_literals;

TEST(short_waits, are_not_expected_at_first) { EXPECT_FALSE(short_waits().expected()); }

TEST(short_waits, are_expected_after_some) {
  short_waits waits;
  waits.slept(20us);
  waits.slept(60us);
  EXPECT_TRUE(waits.expected());
}

TEST(short_waits, are_not_expected_after_long_ones) {
  short_waits waits;
  for (int i = 0; i < 100; ++i) waits.slept(1ms);
  EXPECT_FALSE(waits.expected());
  waits.slept(20us);
  EXPECT_FALSE(waits.expected());
}

TEST(short_waits, stay_expected_while_looking_finds_them) {
  short_waits waits;
  waits.slept(20us);
  waits.slept(20us);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(waits.expected());
    waits.found_by_looking();
  }
}

// One that has gone idle looks twice in vain, however long it was busy.
TEST(short_waits, are_given_up_soon) {
  short_waits waits;
  for (int i = 0; i < 1000; ++i) waits.slept(10us);
  int looked = 0;
  for (int i = 0; i < 100; ++i) {
    if (waits.expected()) {
      ++looked;
      waits.looked_in_vain();
    }
    waits.slept(1s);
  }
  EXPECT_LE(looked, 2);
}

// Two long ones behind each short one: next to nothing is lost to looking.
TEST(short_waits, that_are_rare_are_slept_for) {
  short_waits waits;
  int in_vain = 0;
  for (int i = 0; i < 300; ++i) {
    const bool is_short = i % 3 == 0;
    if (waits.expected()) {
      if (is_short) {
        waits.found_by_looking();
        continue;
      }
      waits.looked_in_vain();
      ++in_vain;
    }
    waits.slept(is_short ? 20us : 10ms);
  }
  EXPECT_LE(in_vain, 3);
}

}  // namespace
