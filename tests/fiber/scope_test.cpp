#include <weft/fiber/scope.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/defer.hpp>
#include <weft/fiber/event.hpp>
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

// Errors.

/// Collects what goes to the uncaught handler.
struct uncaught_list {
  std::vector<std::string> seen;
  weft::run_options options() {
    return {.on_uncaught = [this](const weft::uncaught_error& what) {
      try {
        std::rethrow_exception(what.error);
      } catch (const std::exception& error) {
        seen.push_back(std::string(what.name) + ": " + error.what());
      }
    }};
  }
};

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

// with_scope.

TEST(with_scope, gives_the_value_of_its_body_after_the_children_ended) {
  weft::run([] {
    bool ended = false;
    EXPECT_EQ(weft::with_scope([&](weft::scope& s) {
                s.go([&] {
                  weft::sleep_for(1ms);
                  ended = true;
                });
                return 5;
              }),
              5);
    EXPECT_TRUE(ended);
  });
}

TEST(with_scope, throws_the_error_of_a_child_that_ended_a_wait_of_the_body) {
  weft::run([] {
    weft::channel<int> never(1);
    EXPECT_THROW(weft::with_scope([&](weft::scope& s) {
                   s.go([] { throw std::runtime_error("child"); });
                   return never.pop();
                 }),
                 std::runtime_error);
    weft::sleep_for(1ms);
  });
}

TEST(with_scope, throws_the_error_of_its_body_after_the_children_were_cancelled) {
  weft::run([] {
    bool unwound = false;
    EXPECT_THROW(weft::with_scope([&](weft::scope& s) {
                   s.go([&] {
                     try {
                       weft::sleep_for(1h);
                     } catch (const weft::cancelled&) {
                       unwound = true;
                       throw;
                     }
                   });
                   weft::yield();
                   throw std::logic_error("body");
                 }),
                 std::logic_error);
    EXPECT_TRUE(unwound);
  });
}

TEST(with_scope, whose_body_and_child_fail_throws_the_first_and_reports_the_other) {
  uncaught_list uncaught;
  weft::run(
      [] {
        EXPECT_THROW(weft::with_scope([&](weft::scope& s) {
                       s.go([] {
                         try {
                           weft::sleep_for(1h);
                         } catch (const weft::cancelled&) {
                           throw std::runtime_error("while cleaning up");
                         }
                       });
                       weft::yield();
                       throw std::logic_error("body");
                     }),
                     std::logic_error);
        EXPECT_THROW(weft::with_scope([&](weft::scope& s) {
                       s.go([] { throw std::runtime_error("child"); });
                       try {
                         weft::sleep_for(1h);
                       } catch (const weft::cancelled&) {
                         throw std::logic_error("because of it");
                       }
                     }),
                     std::runtime_error);
      },
      uncaught.options());
  EXPECT_EQ(uncaught.seen, (std::vector<std::string>{": while cleaning up", "main: because of it"}));
}

TEST(with_scope, lets_an_exit_of_a_child_win_over_the_error_of_its_body) {
  uncaught_list uncaught;
  const int status = weft::run(
      [] {
        weft::with_scope([&](weft::scope& s) {
          s.go([] {
            try {
              weft::sleep_for(1h);
            } catch (const weft::cancelled&) {
              weft::exit(5);
            }
          });
          weft::yield();
          throw std::logic_error("body");
        });
      },
      uncaught.options());
  EXPECT_EQ(status, 5);
  EXPECT_EQ(uncaught.seen, std::vector<std::string>{"main: body"});
}

TEST(with_scope, cancelled_from_outside_throws_that) {
  weft::run([] {
    auto parent = weft::go([] {
      weft::with_scope([](weft::scope& s) {
        s.go([] { weft::sleep_for(1h); });
        weft::sleep_for(1h);
      });
    });
    weft::yield();
    parent.cancel();
    EXPECT_THROW(parent.join(), weft::cancelled);
  });
}

// Threads.

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
