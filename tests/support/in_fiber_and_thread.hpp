#pragma once

#include <gtest/gtest.h>

#include <weft/testing/leak_check.hpp>
#include <weft/testing/run.hpp>

/// Runs a claim in a fiber, and then on a plain thread; neither may leave a child or a descriptor behind.
template <typename Claim>
void in_fiber_and_thread(Claim claim) {
  weft::testing::run(claim);
  const weft::testing::leak_check leaks;
  claim();
  EXPECT_EQ(leaks.found(), "");
}
