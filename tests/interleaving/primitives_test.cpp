#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/condition.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/fiber/wait_group.hpp>

#include "interleaving/explored_task.hpp"
#include "interleaving/explorer.hpp"

// The primitives on their real code, from several threads at once, in all orders of what they do to
// their locks, to permits and to the cancel tree.

namespace weft {
namespace {

using namespace std::chrono_literals;
using detail::explored_task;

void expect_complete(const explore::outcome& tried) {
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_GT(tried.executions, 20U);
}

/// A program of tasks that share a State.
template <typename State>
class program {
 public:
  explicit program(explore::execution& run) : run_(run) {}
  template <typename Body>
  program& task(Body body) {
    run_.thread([body, shared = shared_] {
      explored_task self;
      body(*shared);
    });
    return *this;
  }
  template <typename Check>
  void at_end(Check check) {
    run_.at_end([check, shared = shared_] { check(*shared); });
  }

 private:
  explore::execution& run_;
  std::shared_ptr<State> shared_ = std::make_shared<State>();
};

TEST(event, that_is_set_wakes_all_who_wait) {
  expect_complete(explore::all_orders([](explore::execution& run) {
    program<event>(run)
        .task([](event& here) { here.wait(); })
        .task([](event& here) { here.wait(); })
        .task([](event& here) { here.set(); });
  }));
}

TEST(mutex, has_one_holder_and_forgets_nobody) {
  struct state {
    mutex lock;
    int inside = 0;
    int turns = 0;
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    const auto body = [](state& here) {
      const std::lock_guard lock(here.lock);
      explore::check(++here.inside == 1, "two hold the mutex");
      explore::point("inside");
      --here.inside;
      ++here.turns;
    };
    program<state>(run).task(body).task(body).task(body).at_end(
        [](state& here) { explore::check(here.turns == 3, "one had no turn"); });
  }));
}

TEST(mutex, that_was_not_had_in_time_is_left_usable) {
  struct state {
    mutex lock;
    int had = 0;
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    const auto body = [](state& here) {
      if (!here.lock.try_lock_for(1s)) return;
      ++here.had;
      explore::point("inside");
      here.lock.unlock();
    };
    program<state>(run).task(body).task(body).at_end([](state& here) {
      explore::check(here.had >= 1, "nobody had it");
      explore::check(here.lock.try_lock(), "it stayed locked");
    });
  }));
}

TEST(semaphore, hands_out_as_many_permits_as_there_are) {
  struct state {
    semaphore permits{1};
    int had = 0;
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    const auto taker = [](state& here) { here.had += here.permits.try_acquire_for(1s) ? 1 : 0; };
    program<state>(run)
        .task(taker)
        .task(taker)
        .task([](state& here) { here.permits.release(); })
        .at_end([](state& here) {
          int left = 0;
          while (here.permits.try_acquire()) ++left;
          explore::check(here.had + left == 2, "a permit was lost or doubled");
        });
  }));
}

TEST(condition, notified_after_the_change_is_not_missed) {
  struct state {
    mutex lock;
    condition changed;
    bool value = false;
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    program<state>(run)
        .task([](state& here) {
          std::unique_lock lock(here.lock);
          while (!here.value) here.changed.wait(lock);
        })
        .task([](state& here) {
          const std::lock_guard lock(here.lock);
          here.value = true;
          here.changed.notify_one();
        });
  }));
}

TEST(wait_group, ends_its_wait_when_the_last_is_done) {
  struct state {
    state() { group.add(2); }
    wait_group group;
    int done = 0;
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    const auto worker = [](state& here) {
      ++here.done;
      here.group.done();
    };
    program<state>(run).task(worker).task(worker).task([](state& here) {
      here.group.wait();
      explore::check(here.done == 2, "it ended early");
    });
  }));
}

template <std::size_t Capacity>
struct channel_state {
  channel<int> values{Capacity};
  int pushed = 0;
  int popped = 0;
  int sum = 0;

  void push(int value) { pushed += values.push(value) ? 1 : 0; }
  /// Whatever happened: what was pushed and not popped is still there.
  void check_none_lost() {
    while (values.try_pop()) ++popped;
    explore::check(pushed == popped, "a value was lost or doubled");
  }
};

template <std::size_t Capacity>
explore::outcome push_and_drain() {
  using state = channel_state<Capacity>;
  return explore::all_orders([](explore::execution& run) {
    program<state>(run)
        .task([](state& here) {
          here.push(1);
          here.push(2);
          here.values.close();
        })
        .task([](state& here) {
          while (const auto value = here.values.pop()) {
            here.sum = here.sum * 10 + *value;
            ++here.popped;
          }
        })
        .at_end([](state& here) {
          explore::check(here.sum == 12, "not all values, or not in order");
          here.check_none_lost();
        });
  });
}

TEST(channel, gives_every_value_in_order_and_then_ends) {
  expect_complete(push_and_drain<0>());
  expect_complete(push_and_drain<1>());
}

template <std::size_t Capacity>
explore::outcome pop_with_a_bound() {
  using state = channel_state<Capacity>;
  return explore::all_orders([](explore::execution& run) {
    program<state>(run)
        .task([](state& here) {
          int value = 1;
          if (here.values.push_for(value, 1s) == wait_end::value) ++here.pushed;
        })
        .task([](state& here) { here.popped += here.values.pop_for(1s) ? 1 : 0; })
        .at_end([](state& here) { here.check_none_lost(); });
  });
}

TEST(channel, loses_no_value_when_a_bound_passes) {
  expect_complete(pop_with_a_bound<0>());
  expect_complete(pop_with_a_bound<1>());
}

template <std::size_t Capacity>
explore::outcome pop_that_is_cancelled() {
  struct state : channel_state<Capacity> {
    std::optional<cancel_scope> scope;
    event made, cancelled;
  };
  return explore::all_orders([](explore::execution& run) {
    program<state>(run)
        .task([](state& here) {
          here.scope.emplace();
          here.made.set();
          try {
            here.popped += here.values.pop() ? 1 : 0;
          } catch (const weft::cancelled&) {
          }
          shield([&] { here.cancelled.wait(); });
          here.scope.reset();
        })
        .task([](state& here) {
          int value = 1;
          if (here.values.push_for(value, 1s) == wait_end::value) ++here.pushed;
        })
        .task([](state& here) {
          here.made.wait();
          here.scope->cancel();
          here.cancelled.set();
        })
        .at_end([](state& here) { here.check_none_lost(); });
  });
}

TEST(channel, loses_no_value_when_the_receiver_is_cancelled) {
  expect_complete(pop_that_is_cancelled<0>());
  expect_complete(pop_that_is_cancelled<1>());
}

}  // namespace
}  // namespace weft
