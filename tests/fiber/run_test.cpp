#include <weft/fiber/run.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <any>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/executor/blocking.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>

#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec shared_spec{.name = "test.run_shared"};
const weft::key<std::shared_ptr<int>> shared{shared_spec};

TEST(run, gives_the_status_of_main_after_everything_it_started_has_ended) {
  int ended = 0;
  const int status = weft::run([&] {
    for (int i = 0; i < 3; ++i) {
      weft::go([&] {
        weft::sleep_for(1ms);
        ++ended;
      });
    }
    return 5;
  });
  EXPECT_EQ(status, 5);
  EXPECT_EQ(ended, 3);
}

TEST(run, may_be_called_again_on_the_same_thread) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(weft::run([i] { return weft::go([i] { return i; }).join(); }), i);
  }
}

TEST(run, does_not_nest) {
  weft::run([] { EXPECT_THROW(weft::run([] {}), weft::error); });
}

TEST(run, throws_what_main_threw_after_the_other_fibers_were_unwound) {
  bool unwound = false;
  EXPECT_THROW(weft::run([&] {
                 weft::go([&] {
                   struct at_end {
                     bool& flag;
                     ~at_end() { flag = true; }
                   } const guard{unwound};
                   weft::sleep_for(1h);
                 });
                 weft::yield();
                 throw std::runtime_error("main");
               }),
               std::runtime_error);
  EXPECT_TRUE(unwound);
}

TEST(run, exit_in_a_fiber_ends_it_with_that_status) {
  bool unwound = false;
  const int status = weft::run([&] {
    weft::go([] { weft::exit(17); });
    try {
      weft::sleep_for(1h);
    } catch (const weft::cancelled& stop) {
      unwound = stop.reason() == weft::cancel_reason::shutdown;
      throw;
    }
  });
  EXPECT_EQ(status, 17);
  EXPECT_TRUE(unwound);
}

TEST(run, keeps_an_exit_status_of_another_type) {
  EXPECT_EQ(weft::run([] { weft::exit(std::string("done early")); }), 0);
  EXPECT_EQ(std::any_cast<std::string>(weft::last_exit()), "done early");
}

TEST(run, stops_at_the_first_uncaught_error_where_asked) {
  bool unwound = false;
  int reports = 0;
  const int status = weft::run(
      [&] {
        weft::go([] { throw std::runtime_error("nobody joins this"); });
        try {
          weft::sleep_for(1h);
        } catch (const weft::cancelled&) {
          unwound = true;
          throw;
        }
      },
      {.on_uncaught = [&](const weft::uncaught_error&) { ++reports; },
       .uncaught = weft::uncaught_policy::stop});
  EXPECT_EQ(status, 255);
  EXPECT_TRUE(unwound);
  EXPECT_EQ(reports, 1);
}

TEST(run, tells_how_old_a_fiber_is) {
  weft::run([] {
    auto child = weft::go([] { weft::sleep_for(20ms); });
    weft::sleep_for(5ms);
    EXPECT_GE(child.elapsed(), 5ms);
    while (!child.done()) weft::sleep_for(1ms);
    const auto whole = child.elapsed();
    EXPECT_GE(whole, 20ms);
    weft::sleep_for(5ms);
    EXPECT_EQ(child.elapsed(), whole);
    child.join();
  });
}

TEST(run, on_several_threads_at_once_exchanges_values_and_cancels_across) {
  weft::channel<int> values(4);
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      weft::run([&] {
        weft::scope children;
        for (int f = 0; f < 4; ++f) {
          children.go([&] {
            for (int i = 0; i < 100; ++i) values.push(1);
          });
          children.go([&] {
            for (int i = 0; i < 100; ++i) sum += values.pop().value_or(0);
          });
        }
        children.join();
      });
    });
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(sum, 3 * 4 * 100);
}

TEST(run, in_the_child_of_a_fork_works_as_in_its_parent) {
  if (sanitized) GTEST_SKIP() << "the sanitizers do not let a forked child start threads";
  weft::run([] { weft::blocking([] {}); });
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    const int status = weft::run([] {
      auto sleeper = weft::go([] { weft::sleep_for(1ms); });
      sleeper.join();
      return weft::blocking([] { return 7; });
    });
    _exit(status);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(run, inside_a_handler_keeps_the_exception_of_the_thread) {
  try {
    throw std::runtime_error("outer");
  } catch (const std::runtime_error&) {
    weft::run([] {
      EXPECT_EQ(std::current_exception(), nullptr);
      weft::sleep_for(1ms);
    });
    try {
      throw;
    } catch (const std::runtime_error& again) {
      EXPECT_STREQ(again.what(), "outer");
    }
  }
}

TEST(run, in_a_cancelled_task_throws_before_main_starts) {
  weft::cancel_scope scope;
  scope.cancel();
  bool ran = false;
  EXPECT_THROW(weft::run([&] { ran = true; }), weft::cancelled);
  EXPECT_FALSE(ran);
}

TEST(run, refused_for_its_options_leaves_nothing_behind) {
  auto counted = std::make_shared<int>(0);
  {
    const weft::scoped_value bound{shared, counted};
    EXPECT_THROW(weft::run([] {}, {.max_fibers = 0}), weft::error);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

}  // namespace
