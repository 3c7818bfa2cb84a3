#include <weft/fiber/defer.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/fiber_local.hpp>
#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "test.defer_user"};
const weft::key<int> user{user_spec};

TEST(defer, runs_at_the_end_of_the_fiber_last_first) {
  std::string order;
  weft::run([&] {
    auto one = weft::go([&] {
      weft::defer([&] { order += '1'; });
      weft::defer([&] { order += '2'; });
      order += 'f';
    });
    one.join();
    order += 'j';
  });
  EXPECT_EQ(order, "f21j");
}

TEST(defer, runs_from_any_depth_and_in_main) {
  std::string order;
  weft::run([&] {
    [&] { weft::defer([&] { order += 'd'; }); }();
    order += 'm';
  });
  EXPECT_EQ(order, "md");
}

TEST(defer, runs_after_an_exception_and_the_joiner_still_gets_it) {
  bool ran = false;
  weft::run([&] {
    auto one = weft::go([&] {
      weft::defer([&] { ran = true; });
      throw std::runtime_error("body");
    });
    EXPECT_THROW(one.join(), std::runtime_error);
    EXPECT_TRUE(ran);
  });
}

TEST(defer, may_wait_and_the_fiber_is_done_only_afterwards) {
  weft::run([] {
    bool ran = false;
    auto one = weft::go([&] {
      weft::defer([&] {
        weft::sleep_for(2ms);
        weft::yield();
        ran = true;
      });
    });
    weft::yield();
    EXPECT_FALSE(one.done());
    one.join();
    EXPECT_TRUE(ran);
  });
}

TEST(defer, of_a_cancelled_fiber_runs_shielded) {
  weft::run([] {
    bool ran = false;
    auto one = weft::go([&] {
      weft::defer([&] {
        weft::sleep_for(1ms);
        weft::checkpoint();
        EXPECT_FALSE(weft::cancellation_requested().has_value());
        ran = true;
      });
      weft::sleep_for(1h);
    });
    weft::yield();
    one.cancel();
    EXPECT_THROW(one.join(), weft::cancelled);
    EXPECT_TRUE(ran);
  });
}

TEST(defer, runs_when_the_whole_run_is_ended) {
  int ran = 0;
  const int status = weft::run([&] {
    weft::defer([&] {
      weft::yield();
      ++ran;
    });
    weft::go([&] {
      weft::defer([&] {
        weft::sleep_for(1ms);
        ++ran;
      });
      weft::sleep_for(1h);
    });
    weft::yield();
    weft::exit(3);
  });
  EXPECT_EQ(status, 3);
  EXPECT_EQ(ran, 2);
}

TEST(defer, of_a_fiber_that_never_ran_was_never_registered) {
  weft::run([] {
    bool ran = false;
    auto one = weft::go([&] { weft::defer([&] { ran = true; }); });
    one.cancel();
    EXPECT_THROW(one.join(), weft::cancelled);
    EXPECT_FALSE(ran);
  });
}

TEST(defer, may_defer_further_calls_which_run_before_the_older_ones) {
  std::string order;
  weft::run([&] {
    weft::defer([&] { order += '1'; });
    weft::defer([&] {
      order += '2';
      weft::defer([&] { order += '3'; });
    });
  });
  EXPECT_EQ(order, "231");
}

TEST(defer, that_throws_is_reported_once_and_the_others_run) {
  std::string order;
  int reported = 0;
  weft::run(
      [&] {
        auto one = weft::go(
            [&] {
              weft::defer([&] { order += '1'; });
              weft::defer([] { throw std::runtime_error("deferred"); });
              weft::defer([&] { order += '3'; });
              return 7;
            },
            {.name = "one"});
        EXPECT_EQ(one.join(), 7);
      },
      {.on_uncaught = [&](const weft::uncaught_error& what) {
        ++reported;
        EXPECT_EQ(what.name, "one");
        EXPECT_THROW(std::rethrow_exception(what.error), std::runtime_error);
      }});
  EXPECT_EQ(order, "31");
  EXPECT_EQ(reported, 1);
}

TEST(defer, that_exits_ends_the_run) {
  const int status = weft::run([] {
    weft::go([] { weft::defer([] { weft::exit(9); }); });
    weft::sleep_for(1h);
  });
  EXPECT_EQ(status, 9);
}

TEST(defer, runs_in_the_context_of_where_it_was_registered) {
  int seen = 0;
  int seen_outside = 0;
  weft::run([&] {
    weft::defer([&] { seen_outside = user.value_or(-1); });
    const weft::scoped_value bound{user, 5};
    weft::defer([&] { seen = user.value_or(-1); });
  });
  EXPECT_EQ(seen, 5);
  EXPECT_EQ(seen_outside, -1);
}

TEST(defer, on_a_plain_thread_is_an_error_that_says_what_to_do) {
  try {
    weft::defer([] {});
    FAIL();
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::misuse);
    EXPECT_NE(std::string(refused.what()).find("destructor"), std::string::npos);
  }
}

TEST(defer, destroys_what_the_call_captured_before_the_fiber_is_done) {
  weft::run([] {
    const auto counted = std::make_shared<int>(0);
    auto one = weft::go([counted] { weft::defer([counted] {}); });
    one.join();
    EXPECT_EQ(counted.use_count(), 1);
  });
}

TEST(defer, in_the_uncaught_handler_or_the_destructor_of_the_result_runs_too) {
  int ran = 0;
  struct defers_at_its_end {
    explicit defers_at_its_end(int& count) : ran(&count) {}
    defers_at_its_end(defers_at_its_end&& other) noexcept : ran(std::exchange(other.ran, nullptr)) {}
    ~defers_at_its_end() {
      if (ran == nullptr) return;
      weft::defer([count = ran] {
        weft::yield();
        ++*count;
      });
    }
    int* ran;
  };
  weft::run(
      [&] {
        weft::go([] { throw std::runtime_error("nobody joins"); });
        weft::go([&] { return defers_at_its_end(ran); });
      },
      {.on_uncaught = [&](const weft::uncaught_error&) { weft::defer([&] { ++ran; }); }});
  EXPECT_EQ(ran, 2);
}

}  // namespace
