#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stdexcept>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/barrier.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/once.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/fiber/shared_mutex.hpp>

#include "interleaving/explored_task.hpp"
#include "interleaving/explorer.hpp"

// The locks on their real code: hand-over against bounds and cancellation, in all orders.

namespace weft {
namespace {

using namespace std::chrono_literals;
using detail::explored_task;

void expect_complete(const explore::outcome& tried) {
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_GT(tried.executions, 20U);
}

/// Starts tasks that share a State.
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

TEST(mutex, of_which_one_waiter_gives_up_reaches_the_other) {
  struct state {
    mutex lock;
    int inside = 0;
    int turns = 0;

    void turn() {
      explore::check(++inside == 1, "two hold the mutex");
      explore::point("inside");
      --inside;
      ++turns;
    }
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    const auto patient = [](state& here) {
      const std::lock_guard held(here.lock);
      here.turn();
    };
    program<state>(run)
        .task(patient)
        .task([](state& here) {
          if (!here.lock.try_lock_for(1s)) return;
          here.turn();
          here.lock.unlock();
        })
        .task(patient)
        .at_end([](state& here) {
          explore::check(here.turns >= 2, "one had no turn");
          explore::check(here.lock.waiting() == 0, "somebody is left in line");
          explore::check(here.lock.try_lock(), "it stayed locked");
        });
  }));
}

TEST(mutex, whose_waiter_is_cancelled_is_not_lost) {
  struct state {
    mutex lock;
    std::optional<cancel_scope> scope;
    event made, cancelled;
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    program<state>(run)
        .task([](state& here) {
          here.scope.emplace();
          here.made.set();
          try {
            if (here.lock.try_lock_for(1h)) here.lock.unlock();
          } catch (const weft::cancelled&) {
          }
          shield([&] { here.cancelled.wait(); });
          here.scope.reset();
        })
        .task([](state& here) { const std::lock_guard held(here.lock); })
        .task([](state& here) {
          here.made.wait();
          here.scope->cancel();
          here.cancelled.set();
        })
        .at_end([](state& here) { explore::check(here.lock.try_lock(), "it stayed locked"); });
  }));
}

TEST(semaphore, passes_on_what_one_who_wanted_more_leaves) {
  struct state {
    semaphore permits{0};
    int had = 0;
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    program<state>(run)
        .task([](state& here) { here.had += here.permits.try_acquire_for(1s, 2) ? 2 : 0; })
        .task([](state& here) { here.had += here.permits.try_acquire_for(1s) ? 1 : 0; })
        .task([](state& here) { here.permits.release(); })
        .at_end([](state& here) {
          explore::check(here.had + static_cast<int>(here.permits.available()) == 1,
                         "a permit was lost or doubled");
          explore::check(here.permits.waiting() == 0, "somebody is left in line");
        });
  }));
}

TEST(shared_mutex, has_one_writer_or_readers_and_forgets_nobody) {
  struct state {
    shared_mutex lock;
    int writers = 0;
    int readers = 0;
    int turns = 0;
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    const auto reader = [](state& here) {
      const std::shared_lock held(here.lock);
      ++here.readers;
      explore::check(here.writers == 0, "a reader beside a writer");
      explore::point("reading");
      --here.readers;
      ++here.turns;
    };
    program<state>(run)
        .task(reader)
        .task([](state& here) {
          const std::lock_guard held(here.lock);
          explore::check(++here.writers == 1 && here.readers == 0, "a writer beside others");
          explore::point("writing");
          --here.writers;
          ++here.turns;
        })
        .task(reader)
        .at_end([](state& here) {
          explore::check(here.turns == 3, "one had no turn");
          explore::check(here.lock.try_lock(), "it stayed locked");
        });
  }));
}

TEST(shared_mutex, lets_readers_in_when_the_writer_before_them_gives_up) {
  struct state {
    shared_mutex lock;
    int read = 0;
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    const auto reader = [](state& here) {
      const std::shared_lock held(here.lock);
      ++here.read;
    };
    program<state>(run)
        .task(reader)
        .task([](state& here) {
          if (here.lock.try_lock_for(1s)) here.lock.unlock();
        })
        .task(reader)
        .at_end([](state& here) {
          explore::check(here.read == 2, "a reader had no turn");
          explore::check(here.lock.try_lock(), "it stayed locked");
        });
  }));
}

TEST(once, runs_until_one_initialiser_succeeds) {
  struct state {
    once flag;
    int tries = 0;
    int succeeded = 0;
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    const auto caller = [](state& here) {
      try {
        here.flag.call([&] {
          explore::point("initialising");
          if (++here.tries == 1) throw std::runtime_error("the first try fails");
          ++here.succeeded;
        });
        explore::check(here.succeeded == 1, "it returned before it was done");
      } catch (const std::runtime_error&) {
      }
    };
    program<state>(run).task(caller).task(caller).task(caller).at_end(
        [](state& here) { explore::check(here.tries == 2 && here.succeeded == 1, "not once"); });
  }));
}

TEST(barrier, ends_each_phase_for_all_who_arrived) {
  struct state {
    int completed = 0;
    barrier meet{2, [this] { ++completed; }};
  };
  expect_complete(explore::all_orders([](explore::execution& run) {
    const auto participant = [](state& here) {
      here.meet.arrive_and_wait();
      explore::check(here.completed >= 1, "it went on before the phase ended");
      here.meet.arrive_and_wait();
      explore::check(here.completed == 2, "it went on before the second phase ended");
    };
    program<state>(run).task(participant).task(participant);
  }));
}

}  // namespace
}  // namespace weft
