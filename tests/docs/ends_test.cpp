// The table of docs/fibers.md: what is an exception, and what ends the process.

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/closure/registry.hpp>
#include <weft/closure/services.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/run.hpp>

#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

struct mailer {};

TEST(ends, an_unknown_closure_is_refused_with_a_reason) {
  weft::run([] {
    const auto found = weft::closure_registry::find("no.such.closure");
    ASSERT_FALSE(found);
    EXPECT_NE(found.refusal().message.find("no.such.closure"), std::string::npos);
  });
}

TEST(ends, a_missing_service_is_an_error) {
  weft::run([] {
    weft::services services;
    EXPECT_THROW(services.get<mailer>(), weft::error);
  });
}

TEST(ends, memory_that_is_not_to_be_had_is_bad_alloc_and_the_run_goes_on) {
  if (sanitized) GTEST_SKIP() << "a sanitizer ends the process at such an allocation";
  weft::run([] {
    auto greedy = weft::go([] {
      const volatile std::size_t absurd = std::size_t{1} << 60;
      const std::vector<char> all(absurd);
    });
    EXPECT_THROW(greedy.join(), std::bad_alloc);
    EXPECT_EQ(weft::go([] { return 1; }).join(), 1);
  });
}

TEST(ends, the_limit_of_fibers_is_an_error_that_names_it) {
  weft::run(
      [] {
        auto one = weft::go([] { weft::sleep_for(1ms); });
        try {
          weft::go([] {});
          FAIL();
        } catch (const weft::error& full) {
          EXPECT_EQ(full.code(), weft::errc::resource_exhausted);
          EXPECT_NE(std::string(full.what()).find("max_fibers"), std::string::npos);
        }
        one.join();
      },
      {.max_fibers = 2});
}

TEST(ends, go_outside_a_run_is_an_error) {
  try {
    weft::go([] {});
    FAIL();
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::no_scheduler);
  }
}

TEST(ends, run_inside_a_fiber_is_an_error) {
  weft::run([] { EXPECT_THROW(weft::run([] {}), weft::error); });
}

TEST(ends, a_deadlock_is_an_error_of_run) {
  EXPECT_THROW(weft::run([] {
                 weft::go([] {
                   weft::mutex held;
                   const std::lock_guard lock(held);
                   weft::go([&] { EXPECT_FALSE(held.try_lock_for(24h * 365 * 500)); }).join();
                 }).join();
               }),
               weft::deadlock_error);
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

/// Deeper than any stack; the compiler cannot know.
[[gnu::noinline]] int recurse(const volatile int& depth, int now) {  // NOLINT(misc-no-recursion): the point
  volatile char here[512];
  here[0] = static_cast<char>(now);
  return now == depth ? 0 : recurse(depth, now + 1) + here[0];
}

TEST(ends_death, a_stack_overflow_ends_the_process_and_names_the_fiber) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(weft::run([] {
                weft::go(
                    [] {
                      const volatile int depth = 1'000'000;
                      recurse(depth, 0);
                    },
                    {.name = "deep"})
                    .join();
              }),
              testing::KilledBySignal(SIGSEGV), "stack overflow in fiber .* \"deep\"");
}

TEST(ends_death, a_wild_pointer_ends_the_process_as_everywhere) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(weft::run([] {
                volatile int* volatile nowhere = nullptr;
                *nowhere = 1;
              }),
              testing::KilledBySignal(SIGSEGV), "");
}

TEST(ends_death, an_exception_out_of_noexcept_ends_the_process) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(weft::run([] {
                const auto fail = [] { throw std::runtime_error("no way out"); };
                [&]() noexcept { fail(); }();
              }),
              testing::KilledBySignal(SIGABRT), "");
}

TEST(ends_death, a_breach_of_contract_ends_the_process_with_a_message) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(weft::run([] {
                weft::mutex free;
                free.unlock();
              }),
              testing::KilledBySignal(SIGABRT), "mutex");
}

#endif

}  // namespace
