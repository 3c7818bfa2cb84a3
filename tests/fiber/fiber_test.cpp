#include <weft/fiber/fiber.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/core/error.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "test.fiber_user"};
const weft::key<int> user{user_spec};

TEST(go, outside_a_run_is_an_error_that_says_what_to_do) {
  try {
    weft::go([] {});
    FAIL();
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::no_scheduler);
    EXPECT_NE(std::string(refused.what()).find("thread_pool"), std::string::npos);
  }
}

TEST(go, queues_the_child_and_go_now_runs_it_until_its_first_wait) {
  std::string order;
  weft::run([&] {
    auto queued = weft::go([&] { order += 'q'; });
    order += 'a';
    auto now = weft::go_now([&] {
      order += 'n';
      weft::yield();
      order += 'N';
    });
    order += 'b';
    queued.join();
    now.join();
  });
  EXPECT_EQ(order, "anbqN");
}

TEST(go, above_max_fibers_throws_and_names_the_limit) {
  weft::run(
      [] {
        auto one = weft::go([] {});
        try {
          weft::go([] {});
          ADD_FAILURE() << "the limit did not hold";
        } catch (const weft::error& refused) {
          EXPECT_EQ(refused.code(), weft::errc::resource_exhausted);
          EXPECT_NE(std::string(refused.what()).find("max_fibers"), std::string::npos);
        }
        one.join();
        weft::go([] {}).join();
      },
      {.max_fibers = 2});
}

TEST(go, a_fiber_inherits_the_context_and_keeps_its_own_changes) {
  weft::run([] {
    const weft::scoped_value bound{user, 1};
    auto child = weft::go([] {
      const int before = user.value_or(0);
      const weft::scoped_value mine{user, 2};
      weft::yield();
      return before * 10 + user.value_or(0);
    });
    weft::yield();
    EXPECT_EQ(user.value_or(0), 1);
    EXPECT_EQ(child.join(), 12);
    EXPECT_EQ(user.value_or(0), 1);
  });
}

TEST(fiber, join_gives_the_value_or_throws_the_error) {
  weft::run([] {
    EXPECT_EQ(weft::go([] { return std::string("value"); }).join(), "value");
    EXPECT_THROW(weft::go([]() -> int { throw std::domain_error("no"); }).join(), std::domain_error);
  });
}

TEST(fiber, join_from_a_plain_thread_waits_for_the_end) {
  weft::fiber<int> handle;
  std::atomic<bool> made{false};
  std::thread runner([&] {
    weft::run([&] {
      handle = weft::go([] {
        weft::sleep_for(2ms);
        return 8;
      });
      made = true;
    });
  });
  while (!made) std::this_thread::yield();
  EXPECT_EQ(handle.join(), 8);
  runner.join();
}

TEST(fiber, join_for_of_one_without_a_value_says_whether_it_ended) {
  weft::run([] {
    weft::event go_on;
    auto waits = weft::go([&] { go_on.wait(); });
    EXPECT_TRUE(waits.join_for(2ms).is_timed_out());
    go_on.set();
    EXPECT_TRUE(waits.join_for(1min).has_value());
    auto fails = weft::go([] { throw std::domain_error("no"); });
    EXPECT_THROW(fails.join_for(1min), std::domain_error);
  });
}

TEST(fiber, join_for_ends_at_its_bound_and_leaves_the_handle) {
  weft::run([] {
    weft::event go_on;
    auto waits = weft::go([&] {
      go_on.wait();
      return 3;
    });
    EXPECT_TRUE(waits.join_for(2ms).is_timed_out());
    go_on.set();
    auto ended = waits.join_for(1min);
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(*ended, 3);
  });
}

TEST(fiber, cannot_join_itself) {
  weft::run([] {
    weft::fiber<void> self;
    self = weft::go([&] { EXPECT_THROW(self.join(), weft::error); });
    weft::yield();
  });
}

TEST(fiber, cancel_ends_its_wait_and_that_of_everything_below_it) {
  weft::run([] {
    int unwound = 0;
    auto parent = weft::go([&] {
      auto child = weft::go([&] {
        try {
          weft::sleep_for(1h);
        } catch (const weft::cancelled&) {
          ++unwound;
          throw;
        }
      });
      try {
        child.join();
      } catch (const weft::cancelled&) {
        ++unwound;
        throw;
      }
    });
    weft::yield();
    weft::yield();
    parent.cancel();
    EXPECT_THROW(parent.join(), weft::cancelled);
    for (int i = 0; i < 3; ++i) weft::yield();
    EXPECT_EQ(unwound, 2);
  });
}

TEST(fiber, cancellation_that_was_swallowed_is_thrown_again_at_the_next_wait) {
  weft::run([] {
    int thrown = 0;
    auto stubborn = weft::go([&] {
      for (int i = 0; i < 3; ++i) {
        try {
          weft::sleep_for(1h);
        } catch (const weft::cancelled&) {
          ++thrown;
        }
      }
    });
    weft::yield();
    stubborn.cancel();
    stubborn.join();
    EXPECT_EQ(thrown, 3);
  });
}

TEST(fiber, cancelled_before_it_started_does_not_run_its_function) {
  weft::run([] {
    bool ran = false;
    auto late = weft::go([&] { ran = true; });
    late.cancel();
    EXPECT_THROW(late.join(), weft::cancelled);
    EXPECT_FALSE(ran);
  });
}

TEST(fiber, cancel_after_the_end_has_no_effect) {
  weft::run([] {
    auto over = weft::go([] { return 1; });
    weft::yield();
    EXPECT_TRUE(over.done());
    over.cancel();
    EXPECT_EQ(over.join(), 1);
  });
}

TEST(fiber, errno_survives_a_wait) {
  weft::run([] {
    auto other = weft::go([] { errno = ENOENT; });
    errno = EAGAIN;
    weft::yield();
    EXPECT_EQ(errno, EAGAIN);
    other.join();
  });
}

TEST(fiber, ids_are_unique_and_name_the_parent) {
  weft::run([] {
    const auto main_id = weft::this_fiber::id();
    auto first = weft::go([] { return weft::this_fiber::parent_id(); }, {.name = "first"});
    auto second = weft::go([] { return std::string(weft::this_fiber::name()); }, {.name = "second"});
    EXPECT_NE(first.id(), second.id());
    EXPECT_EQ(first.parent_id(), main_id);
    EXPECT_EQ(first.join(), main_id);
    EXPECT_EQ(second.join(), "second");
    EXPECT_FALSE(first.joinable());
    EXPECT_THROW(first.join(), weft::error);
  });
}

TEST(fiber, aligns_what_its_function_captures) {
  struct alignas(128) line {
    char bytes[128];
  };
  weft::run([] {
    for (int i = 0; i < 20; ++i) {
      auto offset = weft::go([one = line{}] {
        const void* volatile at = &one;  // the compiler must not know that it is aligned
        return reinterpret_cast<std::uintptr_t>(at) % 128;
      });
      EXPECT_EQ(offset.join(), 0U);
    }
  });
}

TEST(fiber, may_be_cancelled_by_another_thread_at_the_moment_it_ends) {
  for (int round = 0; round < (sanitized ? 100 : 1000); ++round) {
    weft::fiber<void> handle;
    std::atomic<bool> made{false};
    std::thread runner([&] {
      weft::run([&] {
        handle = weft::go([] {
          for (int i = 0; i < 3; ++i) weft::yield();
          weft::sleep_for(1h);
        });
        made = true;
      });
    });
    while (!made) std::this_thread::yield();
    handle.cancel();
    EXPECT_THROW(handle.join(), weft::cancelled);
    runner.join();
  }
}

TEST(sleep, is_never_early_and_wakes_in_order) {
  weft::run([] {
    std::string order;
    const auto start = weft::steady_clock::now();
    auto late = weft::go([&] {
      weft::sleep_for(6ms);
      order += 'c';
    });
    auto middle = weft::go([&] {
      weft::sleep_for(4ms);
      order += 'b';
    });
    weft::sleep_for(2ms);
    order += 'a';
    EXPECT_GE(weft::steady_clock::now() - start, 2ms);
    late.join();
    middle.join();
    EXPECT_GE(weft::steady_clock::now() - start, 6ms);
    EXPECT_EQ(order, "abc");
  });
}

TEST(yield, gives_sockets_and_timers_their_turn_in_a_busy_run) {
  weft::run([] {
    bool fired = false;
    auto timer = weft::go([&] {
      weft::sleep_for(1ms);
      fired = true;
    });
    while (!fired) weft::yield();
    timer.join();
  });
}

TEST(fiber, waits_for_a_pool_while_others_go_on) {
  weft::thread_pool pool{{.threads = 2}};
  weft::run([&] {
    weft::promise<void> gate;
    auto opened = gate.get_future();
    auto blocked = weft::go([&] {
      return pool
          .submit([&] {
            opened.get();
            return 5;
          })
          .get();
    });
    weft::yield();
    gate.set_value();  // only reached because the other fiber's wait did not block the thread
    EXPECT_EQ(blocked.join(), 5);
  });
}

TEST(fiber, is_woken_by_other_threads_without_loss) {
  const int rounds = sanitized ? 2'000 : 20'000;
  weft::thread_pool pool{{.threads = 2}};
  weft::run([&] {
    std::vector<weft::fiber<int>> all;
    for (int f = 0; f < 8; ++f) {
      all.push_back(weft::go([&] {
        int sum = 0;
        for (int i = 0; i < rounds / 8; ++i) sum += pool.submit([] { return 1; }).get();
        return sum;
      }));
    }
    int total = 0;
    for (auto& one : all) total += one.join();
    EXPECT_EQ(total, rounds / 8 * 8);
  });
}

[[gnu::noinline]] int recurse_deeply(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return depth < 1'000'000'000 ? recurse_deeply(depth + 1) + frame[0] : 0;
}

TEST(fiber_death, a_stack_overflow_names_the_fiber) {
  // The address sanitizer has a report of its own for it.
  const char* const report = sanitized ? "" : "stack overflow in fiber [0-9]+ .deep.*stack_bytes";
  EXPECT_DEATH(weft::run([] { weft::go([] { recurse_deeply(0); }, {.name = "deep"}).join(); }), report);
}

TEST(fiber_death, a_segmentation_fault_that_is_no_overflow_ends_the_process_as_ever) {
  const auto is_as_ever = [](int status) {
    return sanitized ? status != 0
                     : testing::KilledBySignal(SIGSEGV)(status);  // a sanitizer reports and exits
  };
  EXPECT_EXIT(weft::run([] { raise(SIGSEGV); }), is_as_ever, "");
}

TEST(no_wait_scope, makes_a_wait_inside_fail_at_once) {
  weft::run([] {
    const weft::no_wait_scope here("a transaction");
    try {
      weft::sleep_for(1ms);
      ADD_FAILURE() << "it waited";
    } catch (const weft::error& refused) {
      EXPECT_EQ(refused.code(), weft::errc::misuse);
      EXPECT_NE(std::string(refused.what()).find("a transaction"), std::string::npos);
      EXPECT_NE(std::string(refused.what()).find("sleep"), std::string::npos);
    }
    EXPECT_THROW(weft::yield(), weft::error);
  });
}

TEST(no_wait_scope, refuses_go_now_and_run) {
  const weft::no_wait_scope on_the_thread("a callback");
  bool ran = false;
  EXPECT_THROW(weft::run([&] { ran = true; }), weft::error);
  EXPECT_FALSE(ran);
  weft::shield([&] {
    std::thread([&] {
      weft::run([&] {
        const weft::no_wait_scope here("a transaction");
        EXPECT_THROW(weft::go_now([&] { ran = true; }), weft::error);
      });
    }).join();
  });
  EXPECT_FALSE(ran);
}

}  // namespace
