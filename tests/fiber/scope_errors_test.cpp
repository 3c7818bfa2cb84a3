#include <weft/fiber/scope.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "fiber/uncaught_list.hpp"

namespace {

using namespace std::chrono_literals;

using weft_test::uncaught_list;

TEST(scope, hands_suppressed_errors_over_and_keeps_count) {
  uncaught_list uncaught;
  weft::run(
      [] {
        weft::scope s({.on_error = weft::child_errors::keep_going});
        s.go([] { throw std::runtime_error("one"); });
        s.go([] { throw std::logic_error("two"); }, {.name = "second"});
        s.go([] { throw std::logic_error("three"); });
        EXPECT_THROW(s.join(), std::runtime_error);
        EXPECT_EQ(s.failures(), 3U);
        const auto others = s.take_suppressed();
        ASSERT_EQ(others.size(), 2U);
        EXPECT_EQ(others[0].name, "second");
        EXPECT_NE(others[0].fiber_id, 0U);
        EXPECT_THROW(std::rethrow_exception(others[1].error), std::logic_error);
      },
      uncaught.options());
  EXPECT_TRUE(uncaught.seen.empty());
}

TEST(scope, reports_suppressed_errors_that_nobody_took) {
  uncaught_list uncaught;
  weft::run(
      [] {
        weft::scope s({.on_error = weft::child_errors::keep_going});
        s.go([] { throw std::runtime_error("one"); });
        s.go([] { throw std::runtime_error("two"); }, {.name = "second"});
        EXPECT_THROW(s.join(), std::runtime_error);
      },
      uncaught.options());
  EXPECT_EQ(uncaught.seen, std::vector<std::string>{"second: two"});
}

TEST(scope, left_without_join_reports_the_error_of_a_child) {
  uncaught_list uncaught;
  weft::run(
      [] {
        weft::scope s;
        s.go([] { throw std::runtime_error("lost otherwise"); }, {.name = "child"});
        weft::shield([] { weft::yield(); });
      },
      uncaught.options());
  EXPECT_EQ(uncaught.seen, std::vector<std::string>{"child: lost otherwise"});
}

TEST(scope, keeps_a_bounded_number_of_errors_and_reports_the_others_at_once) {
  uncaught_list uncaught;
  std::size_t suppressed = 0;
  weft::run(
      [&] {
        weft::scope s({.on_error = weft::child_errors::keep_going});
        for (int i = 0; i < 100; ++i) s.go([] { throw std::runtime_error("each"); });
        EXPECT_THROW(s.join(), std::runtime_error);
        EXPECT_EQ(s.failures(), 100U);
        suppressed = s.take_suppressed().size();
      },
      uncaught.options());
  EXPECT_EQ(suppressed, 63U);
  EXPECT_EQ(uncaught.seen.size(), 36U);
}

TEST(scope, does_not_lose_an_exit_that_comes_after_an_error) {
  uncaught_list uncaught;
  const int status = weft::run(
      [] {
        weft::scope s({.on_error = weft::child_errors::keep_going});
        s.go([] { throw std::runtime_error("first"); }, {.name = "child"});
        s.go([] {
          weft::sleep_for(1ms);
          weft::exit(8);
        });
        s.join();
      },
      uncaught.options());
  EXPECT_EQ(status, 8);
  EXPECT_EQ(uncaught.seen, std::vector<std::string>{"child: first"});
}

TEST(scope, whose_child_exits_throws_that_to_its_owner_who_may_go_on) {
  const int status = weft::run([] {
    weft::scope s;
    s.go([] { weft::exit(8); });
    try {
      s.join();
      ADD_FAILURE();
    } catch (const weft::exit_exception& stop) {
      EXPECT_EQ(stop.status_code(), 8);
    }
    weft::sleep_for(1ms);
    return 2;
  });
  EXPECT_EQ(status, 2);
}

TEST(scope, left_without_join_ends_the_run_for_a_child_that_exited) {
  const int status = weft::run([] {
    {
      weft::scope s;
      s.go([] { weft::exit(6); });
      weft::shield([] { weft::yield(); });
    }
    weft::sleep_for(1h);
  });
  EXPECT_EQ(status, 6);
}

}  // namespace
