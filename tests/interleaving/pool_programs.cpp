#include "interleaving/pool_programs.hpp"

#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/fiber/event.hpp>

#include "executor/elastic_pool.hpp"
#include "interleaving/explored_oracle.hpp"
#include "interleaving/explored_task.hpp"

// The pool behind blocking on its real code: threads that come, serve, sleep and end, against those who post
// and stop.

namespace weft {

namespace detail {
void report_unobserved(const std::exception_ptr&, const error_origin*) noexcept {}
std::shared_ptr<const error_origin> failure_here(const std::exception_ptr&) noexcept { return nullptr; }
void end_in_root(unique_function<void(cancel_reason)>) noexcept {}
}  // namespace detail

namespace {

using namespace std::chrono_literals;

/// What the threads of an execution share: a pool, and tasks that are counted.
template <typename Pool>
struct shared_pool {
  std::shared_ptr<detail::explored_outside> outside = std::make_shared<detail::explored_outside>();
  std::optional<Pool> pool;
  event met, over;
  int accepted = 0, refused = 0, ran = 0;

  void check_none_lost() const { explore::check(ran == accepted, "a task was lost, or ran twice"); }
};

/// `users`, each on a thread with a task, and a pool that is there before they begin.
template <typename Pool, typename Options, typename... Users>
explore::outcome with_pool(int preemptions_max, Options options, Users... users) {
  return explore::all_orders(
      [=](explore::execution& run) {
        auto shared = std::make_shared<shared_pool<Pool>>();
        const auto start = [&](auto user) {
          run.thread([shared, user] {
            const detail::explored_oracle world(shared->outside);
            detail::explored_task self;
            user(*shared);
          });
        };
        (start(users), ...);
        const detail::explored_oracle world(shared->outside, &run);
        options(*shared);
      },
      {.preemptions_max = preemptions_max});
}

using elastic = shared_pool<detail::elastic_pool>;

auto elastic_with(blocking_options options, bool threads_may_fail = false) {
  return [=](elastic& here) {
    here.outside->threads_may_fail = threads_may_fail;
    here.pool.emplace(options, metrics::histogram());
  };
}

/// Bounds that may pass at any time.
constexpr blocking_options at_any_time{
    .threads_max = 2, .threads_eager = 1, .queue_max = 100, .grow_after = 0us, .idle_max = 1s};

blocking_options with_threads(std::size_t eager, std::size_t max) {
  blocking_options options = at_any_time;
  options.threads_eager = eager;
  options.threads_max = max;
  return options;
}

void post(
    elastic& here, unique_function<void()> then = [] {}) {
  try {
    here.pool->post([&here, then = std::move(then)]() mutable {
      ++here.ran;
      then();
    });
    ++here.accepted;
  } catch (const error&) {
    ++here.refused;
  }
}

/// Waits for all threads; from here on nobody is in the pool.
void stop(elastic& here) {
  here.pool->stop();
  const auto now = here.pool->statistics();
  explore::check(now.threads == 0 && now.queued_tasks == 0, "it stopped before its threads");
  here.pool.reset();
  here.check_none_lost();
}

/// Two tasks that wait for each other: for the second one a thread comes, by the keeper.
explore::outcome keeper_brings_a_second_thread() {
  return with_pool<detail::elastic_pool>(1, elastic_with(at_any_time), [](elastic& here) {
    post(here, [&here] { here.met.wait(); });
    post(here, [&here] { here.met.set(); });
    stop(here);
  });
}

/// A thread that was free for long ends, or is called at that moment.
explore::outcome called_while_it_gives_up() {
  return with_pool<detail::elastic_pool>(2, elastic_with(with_threads(1, 1)), [](elastic& here) {
    event over[3];
    for (event& one : over) {
      post(here, [&one] { one.set(); });
      one.wait();
    }
    stop(here);
  });
}

/// The keeper, when it is no longer needed, sleeps, or has left.
explore::outcome keeper_is_called_again() {
  const auto impatient_keeper = [](elastic& here) {
    here.outside->impatient = "weft-blk-keeper";
    elastic_with(with_threads(1, 3))(here);
  };
  return with_pool<detail::elastic_pool>(0, impatient_keeper, [](elastic& here) {
    event second_runs;
    post(here, [&here] { here.met.wait(); });
    post(here, [&here, &second_runs] {
      second_runs.set();
      here.met.wait();
    });
    second_runs.wait();
    post(here, [&here] { here.met.set(); });  // both threads are busy until this one runs
    here.met.wait();
    stop(here);
  });
}

/// Two who post at the same time to a pool that may have one thread.
explore::outcome two_who_post() {
  return with_pool<detail::elastic_pool>(
      1, elastic_with(with_threads(1, 1)),
      [](elastic& here) {
        post(here);
        here.met.wait();
        stop(here);
      },
      [](elastic& here) {
        post(here);
        here.met.set();
      });
}

/// The system may have no thread for the pool; tasks that were accepted run all the same.
explore::outcome threads_that_cannot_be_made() {
  return with_pool<detail::elastic_pool>(2, elastic_with(with_threads(2, 2), true), [](elastic& here) {
    post(here);
    post(here);
    stop(here);
    explore::check(here.accepted + here.refused == 2, "a task was neither accepted nor refused");
  });
}

/// Fewer threads are allowed while two are there, of which one may be free and called.
explore::outcome bound_that_is_lowered() {
  return with_pool<detail::elastic_pool>(1, elastic_with(with_threads(2, 2)), [](elastic& here) {
    post(here, [&here] { here.met.set(); });
    post(here);
    here.met.wait();
    post(here, [&here] { here.over.set(); });
    here.pool->set_options(with_threads(1, 1));
    here.over.wait();
    stop(here);
  });
}

/// A call that is given up: it does not begin, or is cancelled while it runs, or was over.
explore::outcome abandoned_call() {
  struct state {
    detail::abandonable_call call;
    event never;
    promise<void> outcome;
    future<void> waiting = outcome.get_future();
  };
  return explore::all_orders(
      [](explore::execution& run) {
        auto shared = std::make_shared<state>();
        run.thread([shared] {
          detail::explored_task self;
          auto work = [shared] { shared->never.wait(); };
          shared->call.run(work, shared->outcome);
        });
        run.thread([shared] {
          detail::explored_task self;
          shared->call.abandon();
        });
      },
      {.preemptions_max = 4});
}

}  // namespace
}  // namespace weft

namespace explore {

outcome pool_program(std::string_view name) {
  static const std::map<std::string_view, outcome (*)()> programs{
      {"keeper brings a second thread", weft::keeper_brings_a_second_thread},
      {"keeper is called again", weft::keeper_is_called_again},
      {"called while it gives up", weft::called_while_it_gives_up},
      {"two who post", weft::two_who_post},
      {"threads that cannot be made", weft::threads_that_cannot_be_made},
      {"bound that is lowered", weft::bound_that_is_lowered},
      {"abandoned call", weft::abandoned_call},
  };
  const auto found = programs.find(name);
  if (found == programs.end()) throw std::invalid_argument("no program " + std::string(name));
  return found->second();
}

}  // namespace explore
