#include <weft/fiber/scope.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "fiber/uncaught_list.hpp"

namespace {

using namespace std::chrono_literals;

using weft_test::uncaught_list;

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

}  // namespace
