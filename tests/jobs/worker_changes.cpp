// A worker that goes on with other options.
#include "jobs/jobs_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/metrics/registry.hpp>

#include "support/expect_error.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

using by_queue = std::map<std::string, std::vector<std::string>, std::less<>>;
using places = std::map<std::string, run_place, std::less<>>;

/// Where the jobs of these tests begin, and wait to be told to end.
struct stage {
  channel<std::string> begun{100};
  semaphore may_end{0};
  int runs = 0;
  int most = 0;
  std::thread::id of_worker = std::this_thread::get_id();
};

closure<> play(std::string name) {
  return closure{named_closure<"test.play">([](stage& on, std::string called) {
                   on.most = std::max(on.most, ++on.runs);
                   on.begun.push(std::move(called));
                   on.may_end.acquire();
                   --on.runs;
                 }),
                 std::move(name)};
}

/// Runs in the place of its queue.
closure<> tell_place() {
  return closure{named_closure<"test.tell_place">([](stage& on) {
    on.begun.push(std::this_thread::get_id() == on.of_worker ? "on a fiber" : "on a pool");
  })};
}

closure<> play_on_pool(std::string name) {
  return closure{
      named_closure<"test.play_on_pool">(placed_closure<run_place::pool>([](stage& on, std::string called) {
        on.begun.push(std::move(called));
        on.may_end.acquire();
      })),
      std::move(name)};
}

closure<> fail_once() {
  return closure{named_closure<"test.fail_once">([](stage& on, control& job) {
    on.begun.push("attempt " + std::to_string(job.attempt()));
    if (job.attempt() == 1) throw std::runtime_error("not yet");
  })};
}

class worker_changes_test : public jobs_fixture {
 protected:
  worker_changes_test() { app_.provide(stage_); }

  /// `body` beside a worker with these options, which is stopped afterwards.
  template <typename Body>
  void beside_worker(worker_options options, Body body) {
    run(
        [&] {
          worker one(*queue_, app_, quiet(std::move(options)));
          auto working = go([&] { one.run(); });
          body(one);
          one.stop();
          working.join();
        },
        with_room_for_sanitizers());
  }
  job_id push_to(const std::string& queue, closure<> what) { return queue_->push(what, {.queue = queue}); }
  /// As a program without a key does.
  job_id insert_unsigned(const std::string& queue, const std::string& called) {
    new_job row;
    row.id = job_id{next_unsigned_++};
    row.queue = queue;
    row.handler = "test.play(str)";
    row.envelope = R"({"weft_job":1,"arguments":[")" + called + R"("]})";
    row.created = row.run_at = clock_.now();
    return queue_->kept_in().push({&row, 1}).at(0);
  }
  std::size_t count(job_state state, const std::string& queue) {
    list_filter which;
    which.queue = queue;
    which.state = state;
    return queue_->list(which).size();
  }
  std::string next() { return stage_.begun.pop().value_or("closed"); }

  stage stage_;
  std::int64_t next_unsigned_ = 1;
};

double attempts_done_in(std::string_view queue) {
  const auto now = metrics::default_registry().take_snapshot();
  const auto* const found = now.find("weft_jobs_attempts_total", {queue, "done"});
  return found == nullptr ? -1 : found->value;
}

}  // namespace

TEST_F(worker_changes_test, more_slots_are_filled_at_once) {
  beside_worker({.concurrency = 1}, [&](worker& one) {
    for (const char* const name : {"a", "b", "c"}) queue_->push(play(name));
    EXPECT_EQ(next(), "a");
    one.change({.concurrency = 3});
    EXPECT_EQ(next(), "b");
    EXPECT_EQ(next(), "c");
    EXPECT_EQ(stage_.runs, 3);
    stage_.may_end.release(3);
  });
}

TEST_F(worker_changes_test, with_fewer_slots_what_runs_goes_on_and_fewer_begin) {
  beside_worker({.concurrency = 3}, [&](worker& one) {
    for (const char* const name : {"a", "b", "c", "d", "e"}) queue_->push(play(name));
    for (int i = 0; i < 3; ++i) next();
    one.change({.concurrency = 1});
    EXPECT_EQ(stage_.runs, 3) << "nothing is cancelled";
    stage_.most = 0;
    stage_.may_end.release(3);
    next();
    stage_.may_end.release(1);
    next();
    EXPECT_EQ(stage_.most, 1);
    stage_.may_end.release(1);
  });
}

TEST_F(worker_changes_test, none_is_as_one) {
  beside_worker({.concurrency = 2}, [&](worker& one) {
    one.change({.concurrency = 0});
    queue_->push(play("a"));
    EXPECT_EQ(next(), "a");
    stage_.may_end.release(1);
  });
}

TEST_F(worker_changes_test, other_queues_are_served_from_the_next_claim_on) {
  const auto left = push_to("first", play("left"));
  const double done_before = std::max(attempts_done_in("fourth"), 0.0);
  beside_worker({.queues = {"second"}}, [&](worker& one) {
    stage_.may_end.release(10);
    push_to("second", play("of second"));
    EXPECT_EQ(next(), "of second");
    one.change({.queues = std::vector<std::string>{"third", "fourth"}});
    push_to("fourth", play("of fourth"));
    EXPECT_EQ(next(), "of fourth");
    push_to("second", play("nobody's"));
    push_to("third", play("of third"));
    EXPECT_EQ(next(), "of third");
    one.change({.queues = std::vector<std::string>{"first"}});
    EXPECT_EQ(next(), "left") << "at once, though nothing was pushed since";
  });
  EXPECT_EQ(show(left).state, job_state::done);
  EXPECT_EQ(count(job_state::ready, "second"), 1U);
  EXPECT_EQ(attempts_done_in("fourth") - done_before, 1) << "queues that came later are counted, too";
}

TEST_F(worker_changes_test, no_queue_is_the_one_of_the_program) {
  beside_worker({.queues = {"other"}}, [&](worker& one) {
    queue_->push(play("a"));
    one.change({.queues = std::vector<std::string>{}});
    EXPECT_EQ(next(), "a");
    stage_.may_end.release(1);
  });
}

TEST_F(worker_changes_test, what_was_claimed_ahead_of_a_queue_that_is_left_is_ready_again) {
  beside_worker({.queues = {"short"}, .concurrency = 1, .claim_ahead = 50}, [&](worker& one) {
    // They end at once, so that it claims ahead, and one that does not holds the slot up.
    stage_.may_end.release(200);
    for (int i = 0; i < 200; ++i) push_to("short", play("a"));
    for (int i = 0; i < 200; ++i) next();
    for (int i = 0; i < 20; ++i) push_to("short", play("b"));
    EXPECT_EQ(next(), "b");
    one.change({.queues = std::vector<std::string>{"other"}});
    push_to("other", play("c"));
    do {  // one that was claimed may begin before the change is seen
      stage_.may_end.release(1);
    } while (next() != "c");
    const auto until = steady_clock::now() + 60s;  // the ends of those that ran are stored meanwhile
    while (count(job_state::running, "short") > 0 && steady_clock::now() < until) sleep_for(1ms);
    EXPECT_EQ(count(job_state::running, "short"), 0U);
    EXPECT_GT(count(job_state::ready, "short"), 0U);
    stage_.may_end.release(1);
  });
}

TEST_F(worker_changes_test, a_queue_that_came_later_has_a_place) {
  beside_worker({.queues = {"first"}, .place_of_queue = {{"first", run_place::pool}}}, [&](worker& one) {
    one.change({.queues = std::vector<std::string>{"second"},
                .place_of_queue = places{{"second", run_place::pool}}});
    push_to("second", tell_place());
    EXPECT_EQ(next(), "on a pool");
    one.change({.place_of_queue = places{}});
    push_to("second", tell_place());
    EXPECT_EQ(next(), "on a fiber");
    one.change({.queues = std::vector<std::string>{"first"}});
    push_to("first", tell_place());
    EXPECT_EQ(next(), "on a pool") << "what was said of it holds again";
  });
}

TEST_F(worker_changes_test, a_queue_that_came_later_may_have_unsigned_jobs) {
  job_id refused{};
  beside_worker({.queues = {"first"}}, [&](worker& one) {
    stage_.may_end.release(10);
    one.change(
        {.queues = std::vector<std::string>{"second"}, .unsigned_jobs = by_queue{{"second", {"test.play"}}}});
    insert_unsigned("second", "of a stranger");
    EXPECT_EQ(next(), "of a stranger");
    one.change({.queues = std::vector<std::string>{"first", "second"}});
    insert_unsigned("second", "another");
    EXPECT_EQ(next(), "another") << "what is unsaid stays";
    one.change({.unsigned_jobs = by_queue{{"first", {"test.play"}}}});
    refused = insert_unsigned("second", "no more");
    insert_unsigned("first", "of first");
    EXPECT_EQ(next(), "of first");
    const auto until = steady_clock::now() + 60s;
    while (show(refused).state != job_state::quarantined && steady_clock::now() < until) sleep_for(1ms);
  });
  EXPECT_EQ(show(refused).state, job_state::quarantined);
}

TEST_F(worker_changes_test, what_is_said_of_a_queue_that_it_does_not_serve_changes_nothing) {
  beside_worker({.queues = {"first"}}, [&](worker& one) {
    const auto refusal = [&](const worker_changes& to) {
      return message_of(errc::invalid_argument, [&] { one.change(to); });
    };
    EXPECT_PRED2(has_text,
                 refusal({.queues = std::vector<std::string>{"second"},
                          .place_of_queue = places{{"first", run_place::pool}}}),
                 "change a worker: place_of_queue has \"first\"");
    EXPECT_PRED2(has_text, refusal({.unsigned_jobs = by_queue{{"second", {"test.play"}}}}),
                 "change a worker: unsigned_jobs has \"second\"");
    EXPECT_PRED2(has_text, refusal({.unsigned_jobs = by_queue{{"first", {"test.none"}}}}),
                 "change a worker: unsigned_jobs has the closure \"test.none\"");
    EXPECT_PRED2(has_text, refusal({.place_of_queue = places{{"first", run_place::workers}}}),
                 "change a worker: jobs of the queue \"first\"");
    push_to("first", tell_place());
    EXPECT_EQ(next(), "on a fiber");
  });
}

TEST_F(worker_changes_test, a_pool_of_its_own_has_a_thread_for_each_slot) {
  beside_worker({.concurrency = 1}, [&](worker& one) {
    for (const char* const name : {"a", "b", "c", "d", "e"}) queue_->push(play_on_pool(name));
    EXPECT_EQ(next(), "a");
    one.change({.concurrency = 4});
    for (int i = 0; i < 3; ++i) next();
    one.change({.concurrency = 1});
    stage_.may_end.release(4);
    EXPECT_EQ(next(), "e");
    stage_.may_end.release(1);
  });
}

TEST_F(worker_changes_test, attempts_that_fail_wait_as_long_as_is_said_by_then) {
  beside_worker({.retry = {.first = 1h}}, [&](worker& one) {
    one.change({.retry = retry_policy{.first = 0us}});
    queue_->push(fail_once());
    EXPECT_EQ(next(), "attempt 1");
    EXPECT_EQ(next(), "attempt 2") << "the clock stands still";
  });
}

TEST_F(worker_changes_test, the_grace_of_a_stop_is_that_of_now) {
  const auto id = queue_->push(play("for ever"));
  const auto begun = steady_clock::now();
  beside_worker({.stop_grace = 1h}, [&](worker& one) {
    next();
    one.change({.stop_grace = 0ms});
  });
  EXPECT_LT(steady_clock::now() - begun, 1min);
  EXPECT_EQ(show(id).state, job_state::ready);
}

TEST_F(worker_changes_test, changes_may_come_before_it_works_and_from_a_thread_of_the_program) {
  push_to("later", play("a"));
  beside_worker({.queues = {"other"}}, [&](worker& one) {
    std::thread([&] { one.change({.queues = std::vector<std::string>{"later"}, .concurrency = 2}); }).join();
    EXPECT_EQ(next(), "a");
    stage_.may_end.release(1);
  });
}

}  // namespace weft::jobs
