#include <weft/fiber/scope.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>

#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

TEST(scope, joins_its_children) {
  weft::run([] {
    int done = 0;
    weft::scope children;
    for (int i = 0; i < 5; ++i) {
      children.go([&] {
        weft::sleep_for(1ms);
        ++done;
      });
    }
    children.join();
    EXPECT_EQ(done, 5);
  });
}

TEST(scope, the_first_error_cancels_the_siblings_and_is_thrown) {
  weft::run([] {
    weft::cancel_reason seen{};
    weft::scope children;
    children.go([&] {
      try {
        weft::sleep_for(1h);
      } catch (const weft::cancelled& stop) {
        seen = stop.reason();
        throw;
      }
    });
    children.go([] { throw std::runtime_error("first"); });
    EXPECT_THROW(children.join(), std::runtime_error);
    EXPECT_EQ(seen, weft::cancel_reason::sibling);
  });
}

TEST(scope, left_by_an_exception_it_cancels_and_waits_for_its_children) {
  weft::run([] {
    bool unwound = false;
    try {
      weft::scope children;
      children.go([&] {
        struct at_end {
          bool& flag;
          ~at_end() { flag = true; }
        } const guard{unwound};
        weft::sleep_for(1h);
      });
      weft::yield();
      throw std::runtime_error("body");
    } catch (const std::runtime_error&) {
      EXPECT_TRUE(unwound);
    }
    weft::yield();  // the fiber itself was not cancelled
  });
}

TEST(scope, cancel_ends_the_children_and_join_returns) {
  weft::run([] {
    weft::scope children;
    children.go([] { weft::sleep_for(1h); });
    weft::yield();
    children.cancel();
    children.join();
  });
}

TEST(scope, a_cancelled_fiber_takes_its_children_along) {
  weft::run([] {
    int unwound = 0;
    auto parent = weft::go([&] {
      weft::scope children;
      for (int i = 0; i < 3; ++i) {
        children.go([&] {
          try {
            weft::sleep_for(1h);
          } catch (const weft::cancelled&) {
            ++unwound;
            throw;
          }
        });
      }
      children.join();
    });
    for (int i = 0; i < 3; ++i) weft::yield();
    parent.cancel();
    EXPECT_THROW(parent.join(), weft::cancelled);
    EXPECT_EQ(unwound, 3);
  });
}

TEST(scope, inside_with_timeout_ends_at_the_deadline) {
  weft::run([] {
    EXPECT_THROW(weft::with_timeout(2ms,
                                    [] {
                                      weft::scope children;
                                      children.go([] { weft::sleep_for(1h); });
                                      children.join();
                                    }),
                 weft::deadline_exceeded);
  });
}

TEST(scope, cancel_ends_also_the_children_that_had_not_started) {
  weft::run([] {
    bool ran = false;
    weft::scope children;
    children.go([&] { ran = true; });
    children.cancel();
    children.join();
    EXPECT_FALSE(ran);
  });
}

TEST(scope, left_at_once_it_does_not_wait_for_children_that_had_not_started) {
  weft::run([] {
    bool ran = false;
    {
      weft::scope children;
      children.go([&] { ran = true; });
    }
    EXPECT_FALSE(ran);
  });
}

TEST(scope, an_error_cancels_siblings_that_had_not_started) {
  weft::run([] {
    weft::scope children;
    children.go([] { throw std::runtime_error("first"); });
    children.go([] { weft::sleep_for(1h); });
    EXPECT_THROW(children.join(), std::runtime_error);
  });
}

TEST(scope, ends_after_what_its_children_captured_has_ended) {
  weft::run([] {
    struct waits_at_its_end {
      explicit waits_at_its_end(bool& flag) : ended(&flag) {}
      waits_at_its_end(waits_at_its_end&& other) noexcept : ended(std::exchange(other.ended, nullptr)) {}
      ~waits_at_its_end() {
        if (ended == nullptr) return;
        weft::yield();
        *ended = true;
      }
      bool* ended;
    };
    bool ended = false;
    weft::scope children;
    children.go([captured = waits_at_its_end(ended)] {});
    children.join();
    EXPECT_TRUE(ended);
  });
}

}  // namespace
