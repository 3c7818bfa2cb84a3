#include "interleaving/explorer.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <mutex>

#include <weft/core/spin_lock.hpp>

#include "interleaving/explored_atomic.hpp"
#include "interleaving/explored_mutex.hpp"

namespace {

using weft::detail::atomic;
using weft::detail::spin_lock;

struct counter {
  atomic<int> value{0};
};

/// Two threads add one each, by `add`.
explore::outcome two_add(void (*add)(counter&), explore::options bounds = {}) {
  return explore::all_orders(
      [add](explore::execution& run) {
        auto shared = std::make_shared<counter>();
        for (int i = 0; i < 2; ++i) run.thread([=] { add(*shared); });
        run.at_end([=] { explore::check(shared->value.peek() == 2, "an addition was lost"); });
      },
      bounds);
}

void add_in_two_steps(counter& shared) { shared.value.store(shared.value.load() + 1); }
void add_at_once(counter& shared) { shared.value.fetch_add(1); }
void add_by_swap(counter& shared) {
  int seen = shared.value.load();
  while (!shared.value.compare_exchange_weak(seen, seen + 1)) {
  }
}

TEST(explorer, finds_an_update_that_is_lost) {
  const auto found = two_add(add_in_two_steps);
  EXPECT_NE(found.failure.find("an addition was lost"), std::string::npos);
  EXPECT_NE(found.failure.find("thread 1: store"), std::string::npos) << found.failure;
}

TEST(explorer, finds_nothing_where_nothing_is_wrong_and_has_tried_all) {
  const auto one_step = two_add(add_at_once);
  EXPECT_TRUE(one_step.complete);
  EXPECT_EQ(one_step.failure, "");
  EXPECT_GE(one_step.executions, 2U);
  const auto swaps = two_add(add_by_swap);
  EXPECT_TRUE(swaps.complete) << swaps.failure;
}

TEST(explorer, finds_only_what_needs_no_more_preemptions_than_allowed) {
  EXPECT_TRUE(two_add(add_in_two_steps, {.preemptions_max = 0}).complete);
  EXPECT_FALSE(two_add(add_in_two_steps, {.preemptions_max = 1}).complete);
}

TEST(explorer, says_that_it_has_not_tried_all) {
  const auto cut = two_add(add_by_swap, {.executions_max = 3});
  EXPECT_EQ(cut.executions, 3U);
  EXPECT_FALSE(cut.complete);
  EXPECT_EQ(cut.failure, "");
}

explore::outcome sleeper_and_waker(bool looks_again) {
  struct state {
    atomic<bool> work{false};
    atomic<bool> sleeping{false};
    bool rung = false;
  };
  return explore::all_orders([looks_again](explore::execution& run) {
    auto shared = std::make_shared<state>();
    run.thread([=] {
      if (!looks_again && shared->work) return;
      shared->sleeping = true;
      if (looks_again && shared->work) return;
      explore::block_until([=] { return shared->rung; }, "sleep");
    });
    run.thread([=] {
      shared->work = true;
      if (shared->sleeping.exchange(false)) shared->rung = true;
    });
  });
}

TEST(explorer, finds_a_wake_up_that_is_lost) {
  const auto found = sleeper_and_waker(false);
  EXPECT_EQ(found.failure.find("deadlock"), 0U) << found.failure;
  EXPECT_TRUE(sleeper_and_waker(true).complete);
}

TEST(explorer, finds_locks_that_are_taken_in_two_orders) {
  const auto found = explore::all_orders([](explore::execution& run) {
    struct state {
      spin_lock first, second;
    };
    auto shared = std::make_shared<state>();
    run.thread([=] {
      const std::lock_guard one(shared->first);
      const std::lock_guard two(shared->second);
    });
    run.thread([=] {
      const std::lock_guard two(shared->second);
      const std::lock_guard one(shared->first);
    });
  });
  EXPECT_EQ(found.failure.find("deadlock"), 0U) << found.failure;
}

TEST(explorer, finds_a_loop_that_never_ends) {
  const auto found = explore::all_orders([](explore::execution& run) {
    auto shared = std::make_shared<counter>();
    run.thread([=] {
      while (shared->value != 1) {
      }
    });
  });
  EXPECT_NE(found.failure.find("for ever"), std::string::npos);
}

TEST(explorer, reports_what_a_thread_throws) {
  const auto found = explore::all_orders(
      [](explore::execution& run) { run.thread([] { throw std::runtime_error("broken"); }); });
  EXPECT_NE(found.failure.find("broken"), std::string::npos);
}

TEST(spin_lock, lets_one_in_at_a_time_in_every_order) {
  struct state {
    spin_lock lock;
    int inside = 0;
    int sum = 0;
  };
  const auto tried = explore::all_orders(
      [](explore::execution& run) {
        auto shared = std::make_shared<state>();
        for (int i = 0; i < 3; ++i) {
          run.thread([=] {
            const std::lock_guard lock(shared->lock);
            explore::check(++shared->inside == 1, "two are inside");
            explore::point("inside");
            ++shared->sum;
            --shared->inside;
          });
        }
        run.at_end([=] { explore::check(shared->sum == 3, "one was not inside"); });
      },
      {.preemptions_max = 3});
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_GT(tried.executions, 100U);
}

TEST(explorer, runs_threads_that_are_started_on_the_way) {
  const auto tried = explore::all_orders([](explore::execution& run) {
    auto shared = std::make_shared<counter>();
    run.thread([=] {
      explore::start([=] { add_in_two_steps(*shared); });
      add_in_two_steps(*shared);
    });
    run.at_end([=] { explore::check(shared->value.peek() == 2, "an addition was lost"); });
  });
  EXPECT_NE(tried.failure.find("an addition was lost"), std::string::npos) << tried.failure;
}

/// Two threads take two mutexes, in the same order or each in its own.
explore::outcome two_mutexes(bool same_order) {
  struct pair {
    weft::detail::explored_mutex first, second;
    int inside = 0;
  };
  const auto both = [](weft::detail::explored_mutex& outer, weft::detail::explored_mutex& inner,
                       int& inside) {
    const std::lock_guard has_outer(outer);
    const std::lock_guard has_inner(inner);
    explore::check(++inside == 1, "two are inside");
    explore::point("inside");
    --inside;
  };
  return explore::all_orders([=](explore::execution& run) {
    auto shared = std::make_shared<pair>();
    run.thread([=] { both(shared->first, shared->second, shared->inside); });
    run.thread([=] {
      if (same_order) {
        both(shared->first, shared->second, shared->inside);
      } else {
        both(shared->second, shared->first, shared->inside);
      }
    });
  });
}

TEST(explored_mutex, lets_one_in_and_shows_a_deadlock) {
  const auto tried = two_mutexes(true);
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_EQ(two_mutexes(false).failure.find("deadlock"), 0U);
}

}  // namespace
