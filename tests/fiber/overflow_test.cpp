// A stack overflow ends the process: each runs in a child, and what it printed is compared.
#include <weft/fiber/run.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <weft/fiber/fiber.hpp>

#include "fiber/scheduler.hpp"
#include "fiber/stack_memory.hpp"
#include "support/sanitized.hpp"

namespace {

// What the sanitizers print of it instead. They do not see an overwritten canary before we do.
const std::string report_of_deep =
    sanitized
        ? "stack-overflow"
        : "stack overflow in fiber [0-9]+ \"deep\", made by fiber [0-9]+ at .*overflow_test.cpp:[0-9]+: it "
          "needs more than the 65536 bytes of its stack";

[[gnu::noinline]] int recurse(int levels) {
  volatile char frame[256];
  frame[0] = static_cast<char>(levels);
  return levels == 0 ? frame[0] : recurse(levels - 1) + frame[0];
}

/// Touches only the far end of its frame: without probes it would land in some other stack.
[[gnu::noinline]] void one_large_frame() {
  char array[1024 * 1024];
  array[0] = 1;
  asm volatile("" : : "r"(array) : "memory");
}

template <typename Function>
[[noreturn]] void run_deep(Function function) {
  weft::run([&] { weft::go(function, {.name = "deep"}).join(); });
  std::exit(0);
}

TEST(stack_overflow, by_recursion_is_reported_with_the_fiber_and_its_stack) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(run_deep([] { recurse(100'000); }), report_of_deep);
}

TEST(stack_overflow, by_one_large_frame_is_reported_too) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(run_deep([] { one_large_frame(); }), report_of_deep);
}

TEST(stack_overflow, names_the_fiber_also_where_only_a_canary_stands) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        setenv("WEFT_STACK_GUARD", "canary", 1);
        run_deep([] {
          auto* const canary =
              const_cast<std::uint64_t*>(weft::detail::scheduler::current()->running_stack()->canary);
          canary[weft::detail::canary_words - 1] = 1;
          weft::sleep_for(std::chrono::milliseconds(1));
        });
      },
      "stack overflow in fiber [0-9]+ \"deep\"");
}

}  // namespace
