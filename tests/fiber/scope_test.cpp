#include <weft/fiber/scope.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/defer.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/fiber_local.hpp>
#include <weft/fiber/run.hpp>

#include "support/sanitized.hpp"

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

TEST(scope, whose_children_were_faster_to_give_up_than_its_owner_throws_cancelled_too) {
  weft::run([] {
    bool missing = true;
    auto parent = weft::go([&] {
      weft::scope s;
      s.go([&] {
        weft::sleep_for(1h);
        missing = false;
      });
      // The owner hears of nothing until its child has ended.
      weft::shield([&] {
        while (s.running() > 0) weft::sleep_for(1ms);
      });
      s.join();
      EXPECT_FALSE(missing);
    });
    weft::yield();
    weft::yield();
    parent.cancel();
    EXPECT_THROW(parent.join(), weft::cancelled);
  });
}

// Results.

TEST(scope, may_be_used_again_after_it_failed) {
  weft::run([] {
    weft::scope s;
    s.go([] { throw std::runtime_error("first round"); });
    try {
      s.join();
      ADD_FAILURE();
    } catch (const std::runtime_error&) {
      weft::sleep_for(1ms);  // not cancelled any more
    }
    auto second = s.go([] {
      weft::sleep_for(1ms);
      return 2;
    });
    s.join();
    EXPECT_EQ(second.join(), 2);
  });
}

TEST(scope, cancelled_and_joined_inside_a_deadline_is_left_without_a_trace) {
  weft::run([] {
    weft::scope s;
    s.go([&] {
      weft::yield();
      s.cancel();
    });
    weft::with_timeout(1h, [&] { s.join(); });
    weft::sleep_for(1ms);
  });
}

TEST(scope, joined_with_a_bound_lets_the_children_go_on_when_that_passes) {
  weft::run([] {
    weft::scope s;
    weft::event go_on;
    auto one = s.go([&] {
      go_on.wait();
      return 1;
    });
    EXPECT_FALSE(s.join_for(1ms));
    go_on.set();
    EXPECT_TRUE(s.join_for(1h));
    EXPECT_EQ(one.join(), 1);
  });
}

// Who belongs to it.

TEST(scope, cancels_a_child_that_was_given_another_context) {
  weft::run([] {
    weft::scope s;
    s.go([] { weft::sleep_for(1h); }, {.context = weft::context()});
    s.go([] { weft::sleep_for(1h); }, {.context = weft::context()}).cancel();
    s.go([] {
      weft::yield();
      throw std::runtime_error("stops all");
    });
    EXPECT_THROW(s.join(), std::runtime_error);
  });
}

TEST(scope, cancels_a_child_that_was_started_inside_a_shield) {
  weft::run([] {
    weft::scope s;
    weft::shield([&] { s.go([] { weft::sleep_for(1h); }); });
    weft::yield();
    s.cancel();
    weft::shield([&] { s.go([] { weft::sleep_for(1h); }); });  // it is cancelled when it starts
    s.join();
  });
}

TEST(scope, waits_for_what_a_child_deferred_and_kept) {
  struct slow_end {
    ~slow_end() {
      if (ended == nullptr) return;
      weft::sleep_for(1ms);
      *ended += 'l';
    }
    std::string* ended = nullptr;
  };
  static weft::fiber_local<slow_end> local;
  weft::run([] {
    std::string order;
    weft::scope s;
    s.go([&] {
      local->ended = &order;
      weft::defer([&] {
        weft::sleep_for(1ms);
        order += 'd';
      });
    });
    s.join();
    EXPECT_EQ(order, "dl");
  });
}

TEST(scope, waits_for_the_end_of_results_that_nobody_holds) {
  struct result {
    explicit result(bool& flag) : ended(&flag) {}
    result(result&& other) noexcept : ended(std::exchange(other.ended, nullptr)) {}
    ~result() {
      if (ended == nullptr) return;
      weft::sleep_for(1ms);
      *ended = true;
    }
    bool* ended;
  };
  weft::run([] {
    bool ended = false;
    weft::scope s;
    s.go([&] { return result(ended); });
    s.join();
    EXPECT_TRUE(ended);
  });
}

TEST(scope, joins_children_that_children_started) {
  weft::run([] {
    int leaves = 0;
    weft::scope s;
    const std::function<void(int)> grow = [&](int depth) {
      if (depth == 0) {
        weft::yield();
        ++leaves;
        return;
      }
      for (int i = 0; i < 3; ++i) s.go([&, depth] { grow(depth - 1); });
    };
    grow(4);
    s.join();
    EXPECT_EQ(leaves, 81);
  });
}

TEST(scope, refuses_a_child_like_go_and_goes_on_without_it) {
  weft::run(
      [] {
        weft::scope s;
        s.go([] {});
        EXPECT_THROW(s.go([] {}, {.context = weft::context()}), weft::error);
        EXPECT_THROW(s.go([] {}), weft::error);
        s.join();
        s.go([] {});
        s.join();
      },
      {.max_fibers = 2});
}

// Width.

TEST(scope, of_a_width_runs_no_more_at_once_and_serves_in_order) {
  weft::run([] {
    int now = 0;
    int most = 0;
    std::string order;
    weft::scope s({.width_max = 3});
    for (char i = 'a'; i < 'k'; ++i) {
      s.go([&, i] {
        most = std::max(most, ++now);
        weft::sleep_for(1ms);
        --now;
        order += i;
      });
    }
    s.join();
    EXPECT_EQ(most, 3);
    EXPECT_EQ(order, "abcdefghij");
  });
}

TEST(scope, that_is_full_gives_no_place_without_waiting) {
  weft::run([] {
    weft::scope s({.width_max = 1});
    auto one = s.try_go([] { return 1; });
    ASSERT_TRUE(one.has_value());
    EXPECT_FALSE(s.try_go([] { return 2; }).has_value());
    EXPECT_EQ(one->join(), 1);
    s.join();
    EXPECT_TRUE(s.try_go([] { return 3; }).has_value());
    s.join();
  });
}

TEST(scope, that_fails_ends_the_wait_for_a_place) {
  weft::run([] {
    EXPECT_THROW(weft::with_scope(
                     [](weft::scope& s) {
                       s.go([] {
                         weft::yield();
                         throw std::runtime_error("full and failed");
                       });
                       s.go([] { ADD_FAILURE() << "there was no place"; });
                     },
                     {.width_max = 1}),
                 std::runtime_error);
  });
}

TEST(scope, without_width_is_refused) { EXPECT_THROW(weft::scope({.width_max = 0}), weft::error); }

TEST(scope, may_be_cancelled_from_a_plain_thread) {
  for (int round = 0; round < 20; ++round) {
    weft::run([] {
      weft::scope s;
      std::atomic<int> ended{0};
      for (int i = 0; i < 4; ++i) {
        s.go([&] {
          weft::defer([&] { ++ended; });
          weft::sleep_for(1h);
        });
      }
      weft::yield();
      std::thread other([&] { s.cancel(); });
      s.join();
      EXPECT_EQ(ended, 4);
      other.join();
    });
  }
}

TEST(scope, of_a_hundred_thousand_children_keeps_none_of_them) {
  weft::run([] {
    const int count = sanitized ? 3000 : 100'000;
    int ran = 0;
    weft::scope s({.width_max = 100});
    for (int i = 0; i < count; ++i) s.go([&] { ++ran; });
    s.join();
    EXPECT_EQ(ran, count);
    EXPECT_LE(weft::statistics().fibers_peak, 102U);
  });
}

}  // namespace
