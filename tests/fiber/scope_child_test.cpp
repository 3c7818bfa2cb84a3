#include <weft/fiber/scope_child.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

namespace {

using namespace std::chrono_literals;

TEST(child, gives_its_value_before_and_after_the_join) {
  weft::run([] {
    weft::scope s;
    auto early = s.go([] {
      weft::yield();
      return 4;
    });
    auto late = s.go([] { return std::make_unique<int>(5); });
    EXPECT_EQ(early.join(), 4);
    s.join();
    EXPECT_TRUE(late.done());
    EXPECT_EQ(*late.join(), 5);
    EXPECT_FALSE(late.joinable());
  });
}

TEST(child, outlives_its_scope_as_a_value) {
  weft::run([] {
    weft::child<std::string> kept;
    {
      weft::scope s;
      kept = s.go([] { return std::string("kept"); });
      s.join();
    }
    EXPECT_EQ(kept.join(), "kept");
  });
}

TEST(child, whose_scope_fails_while_it_is_joined_throws_what_the_scope_failed_with) {
  weft::run([] {
    weft::scope s;
    auto waits = s.go([] { weft::sleep_for(1h); });
    s.go([] { throw std::runtime_error("other"); });
    EXPECT_THROW(waits.join(), std::runtime_error);
    EXPECT_EQ(s.running(), 0U);
    s.join();  // its error was thrown
    EXPECT_THROW(waits.join(), weft::cancelled);
  });
}

TEST(child, that_fails_throws_its_own_error_when_joined_later) {
  weft::run([] {
    weft::scope s({.on_error = weft::child_errors::keep_going});
    auto fails = s.go([]() -> int { throw std::runtime_error("mine"); });
    auto goes_on = s.go([] {
      weft::sleep_for(2ms);
      return 3;
    });
    EXPECT_THROW(s.join(), std::runtime_error);
    EXPECT_EQ(goes_on.join(), 3);
    const auto outcome = fails.join_result();
    EXPECT_FALSE(outcome.has_value());
  });
}

TEST(child, cancelled_by_its_handle_is_no_failure) {
  weft::run([] {
    weft::scope s;
    auto one = s.go([] { weft::sleep_for(1h); });
    auto other = s.go([] {
      weft::sleep_for(2ms);
      return 1;
    });
    weft::yield();
    one.cancel();
    s.join();
    EXPECT_EQ(other.join(), 1);
    EXPECT_EQ(s.failures(), 0U);
  });
}

TEST(child, that_gives_up_although_nobody_asked_it_to_is_a_failure) {
  weft::run([] {
    auto elsewhere = weft::go([] { weft::sleep_for(1h); });
    weft::yield();
    elsewhere.cancel();
    weft::scope s;
    s.go([&] { elsewhere.join(); });
    EXPECT_THROW(s.join(), weft::cancelled);
  });
}

TEST(child, joined_with_a_bound_stays_as_it_was_when_that_passes) {
  weft::run([] {
    weft::scope s;
    weft::event go_on;
    auto one = s.go([&] {
      go_on.wait();
      return 2;
    });
    EXPECT_TRUE(one.join_for(1ms).is_timed_out());
    go_on.set();
    const auto outcome = one.join_for(1h);
    s.join();
    EXPECT_TRUE(outcome.has_value());
  });
}

}  // namespace
