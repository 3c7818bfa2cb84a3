#include "jobs/jobs_fixture.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/codec/secret.hpp>
#include <weft/context/context.hpp>
#include <weft/jobs/control_messages.hpp>

#include "store_contract/lose_worker.hpp"

// control::push_when_done: jobs that are pushed with the end of an attempt.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

constexpr key_spec customer_spec{.name = "test.customer", .wire = wire_policy::job};
const key<std::string> customer{customer_spec};

struct seen_things {
  std::vector<std::string> lines;
};

closure<> follow(std::string text) {
  return closure{named_closure<"end.follow">([](seen_things& into, std::string line) {
                   into.lines.push_back(line + " for " + customer.value_or("nobody"));
                 }),
                 std::move(text)};
}

closure<> ends(std::string how) {
  return closure{named_closure<"end.ends">([](control& job, std::string way) {
                   const scoped_value whose(customer, "ann");
                   job.push_when_done(follow("first"));
                   job.push_when_done(follow("second"), {.delay = 5min, .tags = {"second"}});
                   if (way == "throws") throw std::runtime_error("no");
                   if (way == "delays") job.delay(1h);
                   if (way == "backs off") job.backoff(3);
                   if (way == "names another") job.push_when_done(follow("third"), {.after = {job_id{5}}});
                 }),
                 std::move(how)};
}

class pushes_at_end : public jobs_fixture {
 protected:
  pushes_at_end() { app_.provide(seen_); }
  std::size_t pushed() {
    list_filter all;
    std::size_t count = 0;
    for (const auto& one : queue_->list(all)) count += one.closure.starts_with("end.follow") ? 1U : 0U;
    return count;
  }

  seen_things seen_;
};

TEST_F(pushes_at_end, come_with_a_success_and_never_else_wherever_it_runs) {
  for (const auto place : {run_place::fiber, run_place::pool}) {
    for (const bool in_memory : {false, true}) {
      seen_.lines.clear();
      in_memory ? static_cast<void>(queue_.emplace("memory:", queue_options{.keys = keys_, .clock = &clock_}))
                : open();
      worker_options options;
      options.place = place;
      for (const auto* const way : {"throws", "delays", "backs off"}) {
        const auto id = queue_->push(ends(way));
        EXPECT_EQ(run_due(options), 1U) << way;
        EXPECT_EQ(pushed(), 0U) << way;
        EXPECT_EQ(show(id).state, job_state::scheduled) << way;
        EXPECT_TRUE(queue_->cancel(id));
      }
      const auto id = queue_->push(ends("returns"));
      EXPECT_EQ(run_due(options), 2U) << "the job, and the first one that it pushed";
      EXPECT_EQ(show(id).state, job_state::done);
      EXPECT_EQ(seen_.lines, std::vector<std::string>{"first for ann"}) << "in the context of the call";
      list_filter second;
      second.tag = "second";
      ASSERT_EQ(queue_->list(second).size(), 1U);
      EXPECT_EQ(queue_->list(second)[0].run_at, clock_.now() + 5min) << "its delay counts from the end";
      EXPECT_EQ(queue_->list(second)[0].problem, "") << "it is signed";
      clock_.advance(5min);
      EXPECT_EQ(run_due(options), 1U);
      queue_.reset();
      if (!in_memory) database_->clear();
    }
  }
}

TEST_F(pushes_at_end, that_the_store_refuses_fail_the_attempt_and_push_nothing) {
  const auto id = queue_->push(ends("names another"));
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(pushed(), 0U);
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::scheduled);
  EXPECT_EQ(job.attempts, 1);
  ASSERT_TRUE(job.past.at(0).error);
  EXPECT_EQ(job.past[0].error->code, errc::not_found);
  EXPECT_EQ(job.past[0].log.records.back().level, log::level::critical);
}

TEST_F(pushes_at_end, are_checked_at_the_call_and_bounded) {
  const closure odd{named_closure<"end.odd">([](control& job) {
    try {
      job.push_when_done(follow("odd"), {.priority = 1'000'000});
    } catch (const error& refused) {
      if (refused.code() != errc::invalid_argument) throw;
    }
    try {
      for (std::size_t i = 0; i <= pushes_max; ++i)
        job.push_when_done(follow("one of many"), {.queue = "other"});
    } catch (const error& refused) {
      if (refused.code() != errc::resource_exhausted) throw;
      return;
    }
    throw std::runtime_error("nothing was refused");
  })};
  const auto id = queue_->push(odd);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(show(id).state, job_state::done);
  EXPECT_EQ(queue_->stats().at(1).ready, static_cast<std::int64_t>(pushes_max));
}

TEST_F(pushes_at_end, keep_their_secrets) {
  open({.secret_keys = keys_});
  const closure tells{named_closure<"end.tells">([](control& job) {
    job.push_when_done(closure{named_closure<"end.told">([](seen_things& into, secret<std::string> word) {
                                 into.lines.push_back(word.reveal());
                               }),
                               secret<std::string>("plugh")},
                       {.unique = unique_options{.key = "one"}, .tags = {"told"}});
  })};
  queue_->push_many(std::vector{tells, tells});
  worker_options one_at_a_time;
  one_at_a_time.concurrency = 1;
  EXPECT_EQ(run_due(one_at_a_time), 3U) << "the key of the first one holds until it has ended";
  EXPECT_EQ(seen_.lines, std::vector<std::string>{"plugh"});
  list_filter told;
  told.tag = "told";
  EXPECT_EQ(queue_->list(told).at(0).arguments, "[\"(secret)\"]");
}

TEST_F(pushes_at_end, of_a_worker_that_has_lost_the_job_are_not_pushed) {
  struct rescuer {
    queue& of;
    worker* self = nullptr;
  } other{*queue_};
  app_.provide(other);
  const closure loses{named_closure<"end.loses">([](rescuer& by, control& job) {
    job.push_when_done(follow(job.last_error() ? "again" : "at first"));
    if (job.last_error()) return;
    store_contract_support::lose_worker(by.of.kept_in(), by.self->id(), by.of.clock().now(), 100);
  })};
  queue_->push(loses);
  run(
      [&] {
        worker_options options = quiet({});
        options.heartbeat = 1h;
        worker one(*queue_, app_, options);
        other.self = &one;
        EXPECT_EQ(one.run_due(), 3U) << "twice the job, and what it pushed at last";
        EXPECT_EQ(one.statistics().stale, 1U);
      },
      with_room_for_sanitizers());
  EXPECT_EQ(seen_.lines, std::vector<std::string>{"again for nobody"});
}

TEST_F(pushes_at_end, in_line_come_once_the_function_has_returned) {
  const closure fails{named_closure<"end.fails_in_line">([](control& job) {
    job.push_when_done(follow("never"));
    throw std::runtime_error("no");
  })};
  EXPECT_THROW(queue_->run_or_push(fails, app_), std::runtime_error);
  EXPECT_TRUE(queue_->run_or_push(ends("delays"), app_).pushed);
  EXPECT_EQ(pushed(), 0U);
  EXPECT_FALSE(queue_->run_or_push(ends("returns"), app_).pushed);
  EXPECT_EQ(pushed(), 2U);
}

}  // namespace
}  // namespace weft::jobs
