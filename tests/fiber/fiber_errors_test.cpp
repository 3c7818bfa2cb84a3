#include <weft/fiber/fiber.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "test.fiber_errors_user"};
const weft::key<int> user{user_spec};

TEST(fiber, an_error_that_nobody_joins_reaches_the_handler_once_in_the_fibers_context) {
  int calls = 0;
  int seen = 0;
  weft::run(
      [] {
        const weft::scoped_value bound{user, 77};
        weft::go([] { throw std::runtime_error("alone"); }, {.name = "lonely"});
      },
      {.on_uncaught = [&](const weft::uncaught_error& what) {
        ++calls;
        seen = user.value_or(0);
        EXPECT_EQ(what.name, "lonely");
      }});
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(seen, 77);
}

TEST(fiber, an_error_is_reported_once_when_its_handle_is_dropped_after_the_end) {
  int calls = 0;
  weft::run(
      [&] {
        auto over = weft::go([] { throw std::runtime_error("alone"); });
        weft::yield();
        EXPECT_EQ(calls, 0);
        over.detach();
        EXPECT_EQ(calls, 1);
      },
      {.on_uncaught = [&](const weft::uncaught_error&) { ++calls; }});
  EXPECT_EQ(calls, 1);
}

TEST(fiber, waiting_inside_a_handler_keeps_the_exception_of_each_fiber_apart) {
  weft::run([] {
    std::vector<weft::fiber<std::string>> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(weft::go([i]() -> std::string {
        try {
          throw std::runtime_error(std::to_string(i));
        } catch (const std::runtime_error& mine) {
          for (int turn = 0; turn < i; ++turn) weft::yield();
          try {
            throw;
          } catch (const std::runtime_error& again) {
            EXPECT_STREQ(again.what(), mine.what());
          }
          return mine.what();
        }
      }));
    }
    for (int i = 0; i < 10; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].join(), std::to_string(i));
    EXPECT_EQ(std::current_exception(), nullptr);
  });
}

TEST(fiber, uncaught_exceptions_counts_those_of_the_fiber_only) {
  weft::run([] {
    struct waits_while_unwinding {
      ~waits_while_unwinding() {
        EXPECT_EQ(std::uncaught_exceptions(), 1);
        weft::shield([] { weft::sleep_for(2ms); });
        EXPECT_EQ(std::uncaught_exceptions(), 1);
      }
    };
    auto unwinds = weft::go([] {
      const waits_while_unwinding guard;
      throw std::runtime_error("x");
    });
    weft::yield();
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    auto spawned = weft::go([] { return std::uncaught_exceptions(); });
    EXPECT_EQ(spawned.join(), 0);
    EXPECT_THROW(unwinds.join(), std::runtime_error);
  });
}

TEST(fiber, an_unstarted_child_of_a_catch_block_starts_without_its_exception) {
  weft::run([] {
    try {
      throw std::runtime_error("outer");
    } catch (const std::runtime_error&) {
      EXPECT_TRUE(weft::go([] { return std::current_exception() == nullptr; }).join());
      EXPECT_NE(std::current_exception(), nullptr);
    }
  });
}

}  // namespace
