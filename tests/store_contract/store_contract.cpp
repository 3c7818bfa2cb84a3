#include "store_contract/store_contract.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <vector>

#include <weft/context/cancellation.hpp>

#include "store_contract/folder.hpp"
#include "store_contract/lose_worker.hpp"

namespace weft::jobs {
namespace {

moment at(std::int64_t micros) { return moment(std::chrono::microseconds(micros)); }

}  // namespace

void store_contract::SetUp() {
  folder_ = store_contract_support::make_folder();
  store_ = GetParam().open(folder_);
}

void store_contract::TearDown() {
  store_.reset();
  EXPECT_EQ(GetParam().problems(folder_), std::vector<std::string>{});
  std::filesystem::remove_all(folder_);
}

new_job store_contract::job(std::int64_t id, std::int64_t run_at, const std::string& queue) {
  new_job one;
  one.id = job_id{id};
  one.queue = queue;
  one.handler = "mail.welcome";
  one.envelope = "envelope " + std::to_string(id);
  one.created = at(100);
  one.run_at = at(run_at);
  return one;
}

void store_contract::push(const new_job& one) { store_->push({&one, 1}); }

void store_contract::join(worker_id owner) {
  for (const auto& present : store_->workers()) {
    if (present.id == owner) return;
  }
  store_->add_worker({.id = owner, .host = "h", .pid = 1, .build = "b"});
}

claim_result store_contract::claim(std::size_t count, std::int64_t now, worker_id owner) {
  join(owner);
  claim_request request;
  request.owner = owner;
  request.queues = {"mail"};
  request.count = count;
  request.now = at(now);
  return store_->claim(request);
}

claim_result store_contract::by_id(claim_result claimed) {
  std::sort(claimed.jobs.begin(), claimed.jobs.end(),
            [](const claimed_job& left, const claimed_job& right) { return left.id < right.id; });
  return claimed;
}

claimed_job store_contract::claim_one(std::int64_t now, worker_id owner) {
  auto claimed = claim(1, now, owner);
  EXPECT_EQ(claimed.jobs.size(), 1U);
  return claimed.jobs.empty() ? claimed_job{} : claimed.jobs.front();
}

attempt_end store_contract::end(const claimed_job& of, next_step next, std::int64_t now) {
  attempt_end ended;
  ended.id = of.id;
  ended.owner = worker_id{1};
  ended.fence = of.fence;
  ended.next = next;
  ended.now = at(now);
  ended.record.attempt = of.attempts + 1;
  ended.record.outcome = next == next_step::done ? attempt_outcome::done : attempt_outcome::failed;
  ended.record.started = at(now - 10);
  ended.record.ended = at(now);
  return ended;
}

job_state store_contract::state_of(job_id id) {
  const auto found = store_->find(id);
  if (!found) throw std::runtime_error("no such job");
  return found->state;
}

std::optional<std::size_t> store_contract::lose(worker_id owner, std::int64_t now, int crashes_max) {
  return store_contract_support::lose_worker(*store_, owner, at(now), crashes_max);
}

TEST_P(store_contract, a_pushed_job_is_claimed_as_it_was_pushed) {
  auto pushed = job(7);
  pushed.envelope = std::string("bytes\0with nul", 14);
  pushed.priority = -3;
  push(pushed);
  const auto claimed = claim_one();
  EXPECT_EQ(claimed.id, job_id{7});
  EXPECT_EQ(claimed.queue, "mail");
  EXPECT_EQ(claimed.handler, "mail.welcome");
  EXPECT_EQ(claimed.envelope, pushed.envelope);
  EXPECT_EQ(claimed.priority, -3);
  EXPECT_EQ(claimed.fence, 1);
  EXPECT_EQ(claimed.attempts, 0);
}

TEST_P(store_contract, a_taken_id_is_refused_and_the_whole_batch_with_it) {
  push(job(1));
  const std::vector<new_job> batch{job(2), job(1)};
  try {
    store_->push(batch);
    FAIL() << "the id was taken twice";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::already_exists);
  }
  EXPECT_FALSE(store_->find(job_id{2}));
  EXPECT_EQ(store_->find(job_id{1})->envelope, "envelope 1");
}

TEST_P(store_contract, jobs_come_by_priority_then_moment_then_id) {
  auto late = job(1, 90);
  auto urgent = job(2, 80);
  urgent.priority = -1;
  push(late);
  push(urgent);
  push(job(4, 50));
  push(job(3, 50));
  std::vector<job_id> order;
  for (const auto& one : claim(10).jobs) order.push_back(one.id);
  EXPECT_EQ(order, (std::vector<job_id>{job_id{2}, job_id{3}, job_id{4}, job_id{1}}));
}

TEST_P(store_contract, queues_are_claimed_in_the_order_given_and_others_not) {
  push(job(1, 0, "mail"));
  push(job(2, 0, "report"));
  push(job(3, 0, "other"));
  claim_request request;
  request.owner = worker_id{1};
  request.queues = {"report", "mail", "missing"};
  join();
  request.count = 10;
  request.now = at(1000);
  const auto claimed = store_->claim(request).jobs;
  ASSERT_EQ(claimed.size(), 2U);
  EXPECT_EQ(claimed[0].id, job_id{2});
  EXPECT_EQ(claimed[1].id, job_id{1});
  EXPECT_EQ(state_of(job_id{3}), job_state::ready);
}

TEST_P(store_contract, a_claimed_job_is_not_claimed_again) {
  push(job(1));
  EXPECT_EQ(claim(5).jobs.size(), 1U);
  EXPECT_EQ(claim(5).jobs.size(), 0U);
  EXPECT_EQ(state_of(job_id{1}), job_state::running);
  EXPECT_EQ(store_->find(job_id{1})->owner, worker_id{1});
}

TEST_P(store_contract, a_scheduled_job_waits_for_its_moment_and_says_when) {
  push(job(1, 5000));
  EXPECT_EQ(state_of(job_id{1}), job_state::scheduled);
  const auto early = claim(1, 4999);
  EXPECT_TRUE(early.jobs.empty());
  EXPECT_EQ(early.next_due, at(5000));
  const auto due = claim(1, 5000);
  EXPECT_EQ(due.jobs.size(), 1U);
  EXPECT_FALSE(due.next_due);
}

TEST_P(store_contract, a_finished_job_is_done_and_keeps_its_attempt) {
  push(job(1));
  auto ended = end(claim_one(), next_step::done, 2000);
  ended.record.records = std::string("re\0cords", 8);
  EXPECT_TRUE(store_->finish(ended));
  const auto found = store_->find(job_id{1});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, job_state::done);
  EXPECT_EQ(found->finished, at(2000));
  ASSERT_EQ(found->past.size(), 1U);
  EXPECT_EQ(found->past[0].attempt, 1);
  EXPECT_EQ(found->past[0].fence, 1);
  EXPECT_EQ(found->past[0].owner, worker_id{1});
  EXPECT_EQ(found->past[0].outcome, attempt_outcome::done);
  EXPECT_EQ(found->past[0].started, at(1990));
  EXPECT_EQ(found->past[0].records, ended.record.records);
}

TEST_P(store_contract, a_failed_attempt_counts_and_a_delay_does_not) {
  push(job(1));
  auto failed = end(claim_one(), next_step::again);
  failed.run_at = at(3000);
  failed.record.error = "no route";
  EXPECT_TRUE(store_->finish(failed));
  EXPECT_EQ(state_of(job_id{1}), job_state::scheduled);
  EXPECT_TRUE(claim(1, 2999).jobs.empty());

  const auto second = claim_one(3000);
  EXPECT_EQ(second.attempts, 1);
  EXPECT_EQ(second.fence, 2);
  auto delayed = end(second, next_step::again, 3000);
  delayed.run_at = at(3000);
  delayed.counts = false;
  delayed.backs_off = true;
  EXPECT_TRUE(store_->finish(delayed));

  const auto third = claim_one(3001);
  EXPECT_EQ(third.attempts, 1);
  EXPECT_EQ(third.backoffs, 1);
  EXPECT_EQ(third.fence, 3);
  const auto past = store_->find(job_id{1})->past;
  ASSERT_EQ(past.size(), 2U);
  EXPECT_EQ(past[0].error, "no route");
  EXPECT_EQ(past[1].fence, 2);
}

TEST_P(store_contract, the_last_failure_makes_a_job_dead_and_retry_gives_it_all_attempts_again) {
  push(job(1));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::dead)));
  EXPECT_EQ(state_of(job_id{1}), job_state::dead);
  EXPECT_TRUE(claim().jobs.empty());
  EXPECT_TRUE(store_->retry(job_id{1}, at(3000)));
  EXPECT_FALSE(store_->retry(job_id{1}, at(3000)));
  const auto again = claim_one(3000);
  EXPECT_EQ(again.attempts, 0);
  EXPECT_EQ(again.fence, 2);
  EXPECT_TRUE(store_->finish(end(again, next_step::done, 3100)));
  EXPECT_EQ(store_->find(job_id{1})->past.size(), 2U);
}

TEST_P(store_contract, a_released_job_is_ready_as_if_it_had_not_been_claimed) {
  push(job(1));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::released)));
  const auto found = store_->find(job_id{1});
  EXPECT_EQ(found->state, job_state::ready);
  EXPECT_TRUE(found->past.empty());
  EXPECT_EQ(claim_one().fence, 2);
}

TEST_P(store_contract, a_quarantined_job_is_kept_by_the_purge) {
  push(job(1));
  push(job(2));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::quarantined)));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::done)));
  EXPECT_EQ(store_->purge(at(2000), at(9000), 100), 0U) << "nothing ended before that moment";
  EXPECT_EQ(store_->purge(at(9000), at(9000), 100), 1U);
  EXPECT_EQ(state_of(job_id{1}), job_state::quarantined);
  EXPECT_FALSE(store_->find(job_id{2}));
}

TEST_P(store_contract, a_late_worker_cannot_finish_what_another_now_holds) {
  push(job(1));
  store_->add_worker({.id = worker_id{1}, .host = "h", .pid = 1, .build = "b"});
  const auto late = claim_one();
  EXPECT_EQ(lose(worker_id{1}, 1500, 3), 1U);
  const auto now_held = claim_one(1600, worker_id{2});
  EXPECT_GT(now_held.fence, late.fence);
  EXPECT_FALSE(store_->holds(late.id, worker_id{1}, late.fence));
  EXPECT_TRUE(store_->holds(late.id, worker_id{2}, now_held.fence));
  EXPECT_FALSE(store_->finish(end(late, next_step::done)));
  EXPECT_EQ(state_of(job_id{1}), job_state::running);
  auto wrong_owner = end(now_held, next_step::done);
  EXPECT_FALSE(store_->finish(wrong_owner));
  wrong_owner.owner = worker_id{2};
  EXPECT_TRUE(store_->finish(wrong_owner));
  EXPECT_FALSE(store_->finish(wrong_owner)) << "an attempt ends once";
}

TEST_P(store_contract, a_rescued_job_spends_no_attempt_and_at_the_crash_limit_it_is_quarantined) {
  push(job(1));
  for (int crash = 1; crash <= 2; ++crash) {
    const auto held = claim_one(1000 * crash);
    EXPECT_EQ(held.attempts, 0);
    EXPECT_EQ(held.crashes, crash - 1);
    EXPECT_EQ(lose(worker_id{1}, 1000 * crash + 1, 2), 1U);
  }
  EXPECT_EQ(state_of(job_id{1}), job_state::quarantined);
  const auto past = store_->find(job_id{1})->past;
  ASSERT_EQ(past.size(), 2U);
  EXPECT_EQ(past[1].outcome, attempt_outcome::crashed);
}

TEST_P(store_contract, an_attempt_whose_process_died_counts_as_a_crash_and_spends_no_attempt) {
  push(job(1));
  auto first = end(claim_one(), next_step::again);
  first.counts = false;
  first.crashed = true;
  first.record.outcome = attempt_outcome::crashed;
  first.run_at = at(3000);
  EXPECT_TRUE(store_->finish(first));
  EXPECT_EQ(state_of(job_id{1}), job_state::scheduled);
  const auto held = claim_one(3000);
  EXPECT_EQ(held.crashes, 1);
  EXPECT_EQ(held.attempts, 0);
  auto last = end(held, next_step::quarantined, 3100);
  last.crashed = true;
  EXPECT_TRUE(store_->finish(last));
  const auto kept = store_->find(job_id{1});
  EXPECT_EQ(kept->state, job_state::quarantined);
  EXPECT_EQ(kept->crashes, 2);
  EXPECT_EQ(kept->attempts, 0);
}

TEST_P(store_contract, a_worker_that_is_not_there_claims_nothing) {
  push(job(1));
  join(worker_id{2});
  claim_request request;
  request.owner = worker_id{1};
  request.queues = {"mail"};
  request.now = at(1000);
  const auto expect_refused = [&] {
    try {
      (void)store_->claim(request);
      FAIL() << "nobody would take the job back";
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::not_found);
    }
    EXPECT_EQ(state_of(job_id{1}), job_state::ready);
  };
  expect_refused();
  join();
  EXPECT_EQ(lose(worker_id{1}, 1100, 3), 0U);
  expect_refused();
  join();
  store_->remove_worker(worker_id{1}, at(1100));
  expect_refused();
  join();
  const auto claimed = store_->claim(request).jobs;
  ASSERT_EQ(claimed.size(), 1U);
  store_->add_worker({.id = worker_id{1}, .host = "again", .pid = 2, .build = "b"});
  EXPECT_EQ(store_->workers().size(), 2U) << "it is there already";
  EXPECT_TRUE(store_->holds(job_id{1}, worker_id{1}, claimed[0].fence));
}

TEST_P(store_contract, a_worker_that_has_beaten_since_it_was_seen_is_not_rescued) {
  push(job(1));
  const auto held = claim_one();
  const worker_row seen = store_->workers().at(0);
  store_->beat(worker_id{1});
  EXPECT_FALSE(store_->rescue(seen, at(1100), 3));
  EXPECT_TRUE(store_->holds(job_id{1}, worker_id{1}, held.fence));
  const worker_row now_seen = store_->workers().at(0);
  EXPECT_EQ(store_->rescue(now_seen, at(1200), 3), 1U);
  EXPECT_FALSE(store_->rescue(now_seen, at(1300), 3)) << "it is not there any more";
  store_->add_worker({.id = worker_id{1}, .host = "h", .pid = 1, .build = "b", .beat = now_seen.beat});
  EXPECT_FALSE(store_->rescue(now_seen, at(1400), 3)) << "it came back";
  EXPECT_EQ(store_->workers().size(), 1U);
}

TEST_P(store_contract, one_worker_leads_until_it_goes_or_falls_silent) {
  for (const std::int64_t id : {1, 2, 3}) {
    store_->add_worker({.id = worker_id{id}, .host = "h" + std::to_string(id), .pid = id, .build = "b"});
  }
  const auto leader = [this](std::int64_t asks, const std::optional<worker_row>& silent = {}) {
    return store_->lead(worker_id{asks}, silent);
  };
  EXPECT_EQ(leader(2).id, worker_id{2});
  const worker_row seen = leader(1);
  EXPECT_EQ(seen.id, worker_id{2});
  EXPECT_EQ(seen.host, "h2");
  EXPECT_EQ(seen.pid, 2);
  store_->beat(worker_id{2});
  EXPECT_EQ(leader(1, seen).id, worker_id{2}) << "it has beaten since";
  const worker_row silent = leader(1);
  EXPECT_EQ(leader(1, silent).id, worker_id{1});
  EXPECT_EQ(leader(3, silent).id, worker_id{1}) << "another one was faster";
  EXPECT_EQ(leader(2).id, worker_id{1});
  store_->remove_worker(worker_id{1}, at(1000));
  EXPECT_EQ(leader(3).id, worker_id{3});
  EXPECT_THROW((void)leader(1), error);
  EXPECT_EQ(lose(worker_id{3}, 1000, 3), 0U);
  EXPECT_EQ(leader(2).id, worker_id{2});
}

TEST_P(store_contract, done_jobs_and_those_given_up_are_purged_up_to_moments_of_their_own) {
  for (const std::int64_t id : {1, 2, 3}) push(job(id));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::done)));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::dead)));
  EXPECT_TRUE(store_->cancel(job_id{3}, at(2000)));
  EXPECT_EQ(store_->purge({at(9000), moment::min()}, at(9000), 100), 1U);
  EXPECT_FALSE(store_->find(job_id{1}));
  EXPECT_EQ(store_->purge({at(9000), at(2000)}, at(9000), 100), 0U);
  EXPECT_EQ(store_->purge({moment::min(), at(9000)}, at(9000), 100), 2U);
}

TEST_P(store_contract, a_job_keeps_the_attempts_of_its_last_claims_only) {
  push(job(1));
  std::int64_t now = 1000;
  for (std::int64_t claims = 0; claims < attempts_kept_max + 5; ++claims) {
    auto again = end(claim_one(now), next_step::again, now);
    again.run_at = at(now);
    ASSERT_TRUE(store_->finish(again));
    ++now;
  }
  const auto failed = store_->find(job_id{1});
  EXPECT_EQ(failed->attempts, attempts_kept_max + 5);
  ASSERT_EQ(failed->past.size(), static_cast<std::size_t>(attempts_kept_max));
  EXPECT_EQ(failed->past.front().fence, 6);
  EXPECT_EQ(failed->past.back().fence, attempts_kept_max + 5);
  (void)claim_one(now);
  EXPECT_EQ(lose(worker_id{1}, now, 3), 1U);
  const auto rescued = store_->find(job_id{1});
  ASSERT_EQ(rescued->past.size(), static_cast<std::size_t>(attempts_kept_max));
  EXPECT_EQ(rescued->past.front().fence, 7);
}

TEST_P(store_contract, a_heartbeat_shows_and_a_removed_worker_returns_its_jobs) {
  push(job(1));
  store_->add_worker({.id = worker_id{1}, .host = "here", .pid = 17, .pid_started = 4, .build = "b"});
  (void)claim_one();
  const auto before = store_->workers();
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(before[0].host, "here");
  EXPECT_EQ(before[0].pid, 17);
  EXPECT_EQ(before[0].running, 1);
  EXPECT_TRUE(store_->beat(worker_id{1}).empty());
  EXPECT_GT(store_->workers()[0].beat, before[0].beat);
  store_->remove_worker(worker_id{1}, at(1500));
  EXPECT_TRUE(store_->workers().empty());
  EXPECT_EQ(state_of(job_id{1}), job_state::ready);
  EXPECT_THROW(store_->beat(worker_id{1}), error);
}

TEST_P(store_contract, a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked) {
  push(job(1, 9000));
  push(job(2));
  store_->add_worker({.id = worker_id{1}, .host = "h", .pid = 1, .build = "b"});
  const auto running = claim_one();
  EXPECT_TRUE(store_->cancel(job_id{1}, at(1500)));
  EXPECT_EQ(state_of(job_id{1}), job_state::cancelled);
  EXPECT_TRUE(store_->cancel(job_id{2}, at(1500)));
  EXPECT_EQ(state_of(job_id{2}), job_state::running);
  EXPECT_EQ(store_->beat(worker_id{1}), std::vector<job_id>{job_id{2}});
  EXPECT_TRUE(store_->finish(end(running, next_step::cancelled)));
  EXPECT_FALSE(store_->cancel(job_id{2}, at(1600)));
  EXPECT_FALSE(store_->cancel(job_id{3}, at(1600)));
}

TEST_P(store_contract, a_running_job_that_is_to_be_cancelled_does_not_wait_again) {
  for (std::int64_t id = 1; id <= 3; ++id) push(job(id));
  const auto fails = claim_one();
  const auto is_lost = claim_one(1000, worker_id{2});
  const auto is_released = claim_one(1000, worker_id{3});
  for (const auto& one : {fails, is_lost, is_released}) EXPECT_TRUE(store_->cancel(one.id, at(1500)));
  EXPECT_TRUE(store_->finish(end(fails, next_step::again)));
  EXPECT_EQ(lose(worker_id{2}, 1600, 3), 1U);
  store_->remove_worker(worker_id{3}, at(1700));
  for (const auto& one : {fails, is_lost, is_released}) EXPECT_EQ(state_of(one.id), job_state::cancelled);
}

TEST_P(store_contract, an_unknown_closure_stays_ready_and_is_counted) {
  auto unknown = job(1);
  unknown.handler = "mail.farewell";
  push(unknown);
  push(job(2));
  claim_request request;
  request.owner = worker_id{1};
  request.queues = {"mail"};
  join();
  request.count = 5;
  request.now = at(1000);
  request.routable = [](std::string_view handler) { return handler == "mail.welcome"; };
  const auto claimed = store_->claim(request);
  ASSERT_EQ(claimed.jobs.size(), 1U);
  EXPECT_EQ(claimed.jobs[0].id, job_id{2});
  EXPECT_EQ(claimed.unroutable, 1U);
  EXPECT_EQ(state_of(job_id{1}), job_state::ready);
  EXPECT_EQ(store_->count_unroutable(request.routable), 1);
}

TEST_P(store_contract, any_number_of_unknown_closures_in_front_stops_no_queue) {
  std::vector<new_job> many;
  for (std::int64_t id = 1; id <= 10'500; ++id) {
    many.push_back(job(id));
    many.back().handler = "mail.farewell";
  }
  store_->push(many);
  push(job(20'000, 50));
  push(job(20'001, 0, "report"));
  claim_request request;
  request.owner = worker_id{1};
  request.queues = {"mail", "report"};
  join();
  request.count = 5;
  request.now = at(1000);
  request.routable = [](std::string_view handler) { return handler == "mail.welcome"; };
  const auto claimed = store_->claim(request);
  ASSERT_EQ(claimed.jobs.size(), 2U);
  EXPECT_EQ(claimed.jobs[0].id, job_id{20'000});
  EXPECT_EQ(claimed.jobs[1].id, job_id{20'001});
  EXPECT_EQ(claimed.unroutable, static_cast<std::size_t>(unroutable_counted_max));
}

TEST_P(store_contract, jobs_of_several_closures_come_in_one_order) {
  for (std::int64_t id = 1; id <= 200; ++id) {
    auto one = job(id, id % 17);
    one.handler = "closure " + std::to_string(id % 3);
    one.priority = static_cast<int>(id % 5);
    push(one);
  }
  std::vector<std::tuple<int, moment, job_id>> order;
  while (order.size() < 200) {
    const auto claimed = claim(70).jobs;
    ASSERT_FALSE(claimed.empty());
    for (const auto& one : claimed)
      order.emplace_back(one.priority, at(static_cast<std::int64_t>(one.id) % 17), one.id);
  }
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_P(store_contract, stats_and_list_agree_with_what_happened) {
  for (std::int64_t id = 1; id <= 5; ++id) push(job(id));
  push(job(6, 9000));
  push(job(7, 0, "report"));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::done)));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::dead)));
  (void)claim_one();
  const auto stats = store_->stats();
  ASSERT_EQ(stats.size(), 2U);
  EXPECT_EQ(stats[0].queue, "mail");
  EXPECT_EQ(stats[0].done, 1);
  EXPECT_EQ(stats[0].dead, 1);
  EXPECT_EQ(stats[0].running, 1);
  EXPECT_EQ(stats[0].ready, 2);
  EXPECT_EQ(stats[0].scheduled, 1);
  EXPECT_EQ(stats[1].queue, "report");
  EXPECT_EQ(stats[1].ready, 1);

  const auto ready =
      store_->list({.queue = "mail", .tag = {}, .state = job_state::ready, .before = {}, .limit = 1});
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_EQ(ready[0].id, job_id{5});
  const auto next = store_->list(
      {.queue = "mail", .tag = {}, .state = job_state::ready, .before = ready[0].id, .limit = 10});
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].id, job_id{4});
  EXPECT_EQ(store_->list({}).size(), 7U);
}

TEST_P(store_contract, a_transaction_pushes_all_or_nothing) {
  store_->transact(
      [](store_transaction& transaction) {
        transaction.push(job(1));
        transaction.push(job(2));
      },
      {});
  EXPECT_EQ(store_->list({}).size(), 2U);
  const auto failing = [](store_transaction& transaction) {
    transaction.push(job(3));
    throw std::out_of_range("the seat is taken");
  };
  EXPECT_THROW(store_->transact(failing, {}), std::out_of_range);
  EXPECT_FALSE(store_->find(job_id{3}));
}

TEST_P(store_contract, a_body_of_a_transaction_must_not_wait) {
  const auto waits = [this](store_transaction&) { store_->wait_bell(store_->bell(), no_deadline); };
  try {
    store_->transact(waits, {});
    FAIL() << "it waited";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::misuse);
  }
}

TEST_P(store_contract, the_bell_rings_for_a_push_and_wakes_who_waits) {
  const auto seen = store_->bell();
  std::uint64_t heard = seen;
  std::thread listener([&] { heard = store_->wait_bell(seen, no_deadline); });
  push(job(1));
  listener.join();
  EXPECT_NE(heard, seen);
}

TEST_P(store_contract, a_cancelled_caller_changes_nothing) {
  cancel_scope scope;
  scope.cancel();
  const auto one = job(1);
  EXPECT_THROW(store_->push({&one, 1}), cancelled);
  const auto found = shield([&] { return store_->find(job_id{1}); });
  EXPECT_FALSE(found);
}

TEST_P(store_contract, no_job_is_claimed_by_two_workers) {
  constexpr std::int64_t count = 400;
  std::vector<new_job> batch;
  for (std::int64_t id = 1; id <= count; ++id) batch.push_back(job(id));
  store_->push(batch);
  std::vector<std::vector<job_id>> claimed(4);
  std::vector<std::thread> workers;
  for (std::size_t number = 0; number < claimed.size(); ++number) {
    workers.emplace_back([&, number] {
      for (;;) {
        const auto some = claim(7, 1000, worker_id{static_cast<std::int64_t>(number) + 1}).jobs;
        if (some.empty()) return;
        for (const auto& one : some) claimed[number].push_back(one.id);
      }
    });
  }
  for (auto& worker : workers) worker.join();
  std::set<job_id> all;
  std::size_t total = 0;
  for (const auto& some : claimed) {
    total += some.size();
    all.insert(some.begin(), some.end());
  }
  EXPECT_EQ(total, static_cast<std::size_t>(count));
  EXPECT_EQ(all.size(), static_cast<std::size_t>(count));
}

TEST_P(store_contract, producers_at_once_lose_nothing) {
  constexpr int producers = 16;
  constexpr int each = 25;
  std::vector<std::thread> threads;
  for (int producer = 0; producer < producers; ++producer) {
    threads.emplace_back([&, producer] {
      for (int number = 0; number < each; ++number) push(job(1 + producer * each + number));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(store_->stats().at(0).ready, producers * each);
}

TEST_P(store_contract, the_end_bell_of_a_job_rings_when_it_ends_in_whatever_way) {
  const auto rings = [&](job_id id, auto ends) {
    const auto seen = store_->end_bell(id);
    ends();
    return store_->wait_end(id, seen, deadline_after(std::chrono::seconds(30))) != seen;
  };
  for (const std::int64_t id : {1, 2, 3, 4}) push(job(id));
  const auto first = claim_one();
  EXPECT_TRUE(rings(first.id, [&] { EXPECT_TRUE(store_->finish(end(first, next_step::done))); }));
  const auto second = claim_one();
  EXPECT_TRUE(rings(second.id, [&] { EXPECT_TRUE(store_->finish(end(second, next_step::dead))); }));
  EXPECT_TRUE(rings(job_id{4}, [&] { EXPECT_TRUE(store_->cancel(job_id{4}, at(2000))); }));
  const auto lost = claim_one();
  EXPECT_TRUE(rings(lost.id, [&] { EXPECT_EQ(lose(worker_id{1}, 2000, 1), 1U); }));
  const auto seen = store_->end_bell(job_id{5});
  EXPECT_EQ(store_->wait_end(job_id{5}, seen, steady_clock::now()), seen);
}

}  // namespace weft::jobs
