#include <algorithm>
#include <thread>
#include <vector>

#include "store_contract/store_contract.hpp"

// Unique jobs, paused queues, tags, progress and results.

namespace weft::jobs {
namespace {

moment at(std::int64_t micros) { return moment(std::chrono::microseconds(micros)); }

}  // namespace

new_job store_contract::unique_job(std::int64_t id, unique_until until, std::int64_t at_least) {
  auto one = job(id);
  one.unique = unique_key{std::string("the\0key", 7), until, at(at_least)};
  return one;
}

job_id store_contract::push_one(const new_job& one) { return store_->push({&one, 1}).at(0); }

TEST_P(store_contract, a_job_may_have_asked_for_another_time_before_its_push) {
  auto one = job(1);
  one.backoffs = 1;
  push(one);
  EXPECT_EQ(store_->find(job_id{1})->backoffs, 1);
  const auto claimed = claim_one();
  EXPECT_EQ(claimed.backoffs, 1);
  auto again = end(claimed, next_step::again);
  again.backs_off = true;
  EXPECT_TRUE(store_->finish(again));
  EXPECT_EQ(store_->find(job_id{1})->backoffs, 2);
}

TEST_P(store_contract, what_an_end_pushes_is_there_with_a_success_and_never_else) {
  std::int64_t pushed = 100;
  const auto ends_with_push = [&](const claimed_job& of, next_step next) {
    auto ended = end(of, next);
    ended.pushes = {job(++pushed), job(++pushed, 9000)};
    return ended;
  };
  for (const auto next : {next_step::again, next_step::dead, next_step::cancelled, next_step::quarantined,
                          next_step::released}) {
    push(job(static_cast<std::int64_t>(next) + 1));
    EXPECT_TRUE(store_->finish(ends_with_push(claim_one(), next)));
    EXPECT_FALSE(store_->find(job_id{pushed}));
    if (next == next_step::again || next == next_step::released) {
      EXPECT_TRUE(store_->finish(end(claim_one(), next_step::done)));
    }
  }
  push(job(50));
  const auto late = claim_one();
  auto stale = ends_with_push(late, next_step::done);
  stale.fence += 1;
  EXPECT_FALSE(store_->finish(stale));
  EXPECT_FALSE(store_->find(job_id{pushed}));
  const auto seen = store_->bell();
  EXPECT_TRUE(store_->finish(ends_with_push(late, next_step::done)));
  EXPECT_NE(store_->bell(), seen) << "who waits for work hears of them";
  EXPECT_EQ(store_->find(job_id{pushed - 1})->state, job_state::ready);
  EXPECT_EQ(store_->find(job_id{pushed})->state, job_state::scheduled);
  EXPECT_EQ(claim_one().id, job_id{pushed - 1});
}

TEST_P(store_contract, an_end_whose_pushes_are_refused_changes_nothing) {
  push(job(1));
  push(job(2));
  const auto running = claim_one();
  auto ended = end(running, next_step::done);
  ended.pushes = {job(10), job(11)};
  ended.pushes[1].after = {{job_id{999}, false}};
  const auto code_of = [&] {
    try {
      (void)store_->finish(ended);
    } catch (const error& refused) {
      return refused.code();
    }
    return errc::unknown;
  };
  EXPECT_EQ(code_of(), errc::not_found);
  ended.pushes[1] = job(2);
  EXPECT_EQ(code_of(), errc::already_exists);
  EXPECT_FALSE(store_->find(job_id{10}));
  EXPECT_TRUE(store_->find(job_id{1})->past.empty());
  EXPECT_TRUE(store_->holds(job_id{1}, ended.owner, running.fence));
  ended.pushes[1] = job(11);
  ended.pushes[1].after = {{job_id{1}, false}, {job_id{10}, false}};
  EXPECT_TRUE(store_->finish(ended));
  EXPECT_EQ(store_->find(job_id{11})->waits_for, std::vector<job_id>{job_id{10}}) << "the job itself is done";
}

TEST_P(store_contract, the_key_of_a_job_that_ends_is_free_for_what_its_end_pushes) {
  const auto keyed = [&](std::int64_t id) { return unique_job(id, unique_until::ended, 0); };
  push(keyed(1));
  auto ended = end(claim_one(), next_step::done);
  ended.pushes = {keyed(2)};
  ended.pushes[0].after = {{job_id{999}, false}};
  EXPECT_THROW((void)store_->finish(ended), error);
  EXPECT_TRUE(store_->find(job_id{1})->past.empty());
  ended.pushes[0].after.clear();
  EXPECT_TRUE(store_->finish(ended));
  EXPECT_EQ(store_->find(job_id{2})->state, job_state::ready);
}

TEST_P(store_contract, a_job_that_nobody_begins_in_time_is_dead_and_says_why) {
  const auto until = [](new_job one, std::int64_t micros) {
    one.expires = at(micros);
    return one;
  };
  push(until(job(1, 0, "nobody's"), 3000));
  push(until(job(2, 9000), 3000));
  push(until(job(3), 3000));
  auto behind = until(job(4), 3000);
  behind.after = {{job_id{1}, false}};
  push(behind);
  auto last = job(5);
  last.after = {{job_id{4}, true}};
  push(last);
  push(job(6));
  const auto begun = claim_one(2000);
  EXPECT_EQ(begun.id, job_id{3});
  EXPECT_EQ(claim(1, 3000).next_due, at(3001)) << "not before its moment is over";
  const auto seen = store_->end_bell(job_id{1});
  EXPECT_EQ(claim_one(3001).id, job_id{5}) << "who waits for an end goes on";
  EXPECT_NE(store_->end_bell(job_id{1}), seen);
  for (const std::int64_t id : {1, 2, 4}) {
    const auto found = store_->find(job_id{id});
    EXPECT_EQ(found->state, job_state::dead) << id;
    EXPECT_EQ(found->finished, at(3001)) << id;
    EXPECT_EQ(found->attempts, 0) << id;
    EXPECT_TRUE(found->waits_for.empty()) << id;
    ASSERT_EQ(found->past.size(), 1U) << id;
    EXPECT_EQ(found->past[0].outcome, attempt_outcome::refused) << id;
    EXPECT_NE(found->past[0].error.find("it has expired"), std::string::npos) << id;
  }
  EXPECT_EQ(state_of(job_id{3}), job_state::running) << "it was begun in time";
  auto again = end(begun, next_step::again, 3100);
  again.run_at = at(3100);
  EXPECT_TRUE(store_->finish(again));
  EXPECT_TRUE(claim(1, 3200).jobs.empty()) << "it was not begun again in time";
  EXPECT_EQ(state_of(job_id{3}), job_state::dead);
  EXPECT_EQ(store_->find(job_id{3})->past.size(), 2U);
  EXPECT_FALSE(claim(1, 3300).next_due) << "nothing is to expire any more";
}

TEST_P(store_contract, a_job_that_has_expired_is_not_retried) {
  const auto give_up = [&](std::int64_t id) {
    auto one = job(id);
    one.expires = at(3000);
    push(one);
    EXPECT_TRUE(store_->finish(end(claim_one(), next_step::dead)));
  };
  give_up(1);
  give_up(2);
  EXPECT_TRUE(store_->retry(job_id{1}, at(3000))) << "it may still begin at that moment";
  EXPECT_EQ(claim_one(3000).id, job_id{1});
  const auto before = store_->find(job_id{2});
  try {
    store_->retry(job_id{2}, at(3001));
    ADD_FAILURE() << "it was retried";
  } catch (const error& late) {
    EXPECT_EQ(late.code(), errc::refused);
    EXPECT_NE(late.message().find("it has expired"), std::string::npos) << late.message();
  }
  EXPECT_EQ(state_of(job_id{2}), job_state::dead);
  EXPECT_EQ(store_->find(job_id{2})->finished, before->finished);
  push(job(3));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::dead)));
  EXPECT_EQ(store_->retry_all("mail", job_state::dead, at(3001), 1), 1U)
      << "those that have expired count not";
  EXPECT_EQ(store_->retry_all("", job_state::dead, at(3001), 10), 0U);
  EXPECT_EQ(state_of(job_id{2}), job_state::dead);
  EXPECT_EQ(state_of(job_id{3}), job_state::ready);
}

TEST_P(store_contract, a_second_unique_job_is_the_first_one) {
  EXPECT_EQ(push_one(unique_job(1)), job_id{1});
  EXPECT_EQ(push_one(unique_job(2)), job_id{1});
  EXPECT_FALSE(store_->find(job_id{2}));
  auto other = unique_job(3);
  other.unique->key = "another";
  const std::vector<new_job> batch{other, unique_job(4), job(5), unique_job(6)};
  EXPECT_EQ(store_->push(batch), (std::vector<job_id>{job_id{3}, job_id{1}, job_id{5}, job_id{1}}));
  EXPECT_EQ(store_->list({}).size(), 3U);
}

TEST_P(store_contract, a_unique_key_is_free_when_its_job_has_ended_and_not_before) {
  push(unique_job(1));
  auto again = end(claim_one(), next_step::again);
  again.run_at = at(2500);
  EXPECT_EQ(push_one(unique_job(2)), job_id{1}) << "while it runs";
  EXPECT_TRUE(store_->finish(again));
  EXPECT_EQ(push_one(unique_job(2)), job_id{1}) << "while it waits again";
  EXPECT_TRUE(store_->finish(end(claim_one(3000), next_step::done, 3000)));
  EXPECT_EQ(push_one(unique_job(2)), job_id{2});
  EXPECT_TRUE(store_->cancel(job_id{2}, at(3100)));
  EXPECT_EQ(push_one(unique_job(3)), job_id{3});
  const auto lost = claim_one(3200);
  EXPECT_EQ(lose(worker_id{1}, 3300, 1), 1U);
  EXPECT_EQ(state_of(lost.id), job_state::quarantined);
  EXPECT_EQ(push_one(unique_job(4)), job_id{4});
}

TEST_P(store_contract, a_unique_key_may_be_free_from_the_claim_on) {
  push(unique_job(1, unique_until::claimed));
  EXPECT_EQ(push_one(unique_job(2, unique_until::claimed)), job_id{1});
  const auto first = claim_one();
  EXPECT_EQ(push_one(unique_job(2, unique_until::claimed)), job_id{2});
  EXPECT_TRUE(store_->finish(end(first, next_step::again)));
  EXPECT_EQ(push_one(unique_job(3, unique_until::claimed)), job_id{2}) << "the first does not take it back";
}

TEST_P(store_contract, a_unique_key_keeps_others_out_for_its_period_also_when_its_job_is_deleted) {
  push(unique_job(1, unique_until::ended, 5000));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::done, 2000)));
  auto second = unique_job(2);
  second.created = at(4999);
  EXPECT_EQ(push_one(second), job_id{1});
  EXPECT_EQ(store_->purge(at(4000), at(9000), 10), 1U);
  EXPECT_EQ(push_one(second), job_id{1});
  second.created = at(5000);
  EXPECT_EQ(push_one(second), job_id{2});
}

TEST_P(store_contract, a_retried_job_takes_its_unique_key_again_if_it_is_free) {
  push(unique_job(1));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::dead)));
  push(unique_job(2));
  try {
    store_->retry(job_id{1}, at(3000));
    FAIL() << "two jobs have one key";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::already_exists);
    EXPECT_NE(refused.message().find("job 2"), std::string::npos);
  }
  EXPECT_EQ(state_of(job_id{1}), job_state::dead);
  EXPECT_TRUE(store_->cancel(job_id{2}, at(3000)));
  EXPECT_TRUE(store_->retry(job_id{1}, at(3000)));
  EXPECT_EQ(push_one(unique_job(3)), job_id{1});
}

TEST_P(store_contract, many_dead_jobs_are_retried_at_once_oldest_first) {
  for (std::int64_t id = 1; id <= 4; ++id) push(id == 2 ? unique_job(id) : job(id));
  push(job(5, 0, "report"));
  push(job(6));
  for (int count = 0; count < 4; ++count) EXPECT_TRUE(store_->finish(end(claim_one(), next_step::dead)));
  EXPECT_TRUE(store_->cancel(job_id{5}, at(2500)));
  EXPECT_TRUE(store_->cancel(job_id{6}, at(2500)));
  EXPECT_EQ(push_one(unique_job(7)), job_id{7}) << "which job 2 had";
  EXPECT_EQ(store_->retry_all("mail", job_state::dead, at(3000), 2), 2U);
  EXPECT_EQ(state_of(job_id{1}), job_state::ready);
  EXPECT_EQ(state_of(job_id{2}), job_state::dead);
  EXPECT_EQ(state_of(job_id{3}), job_state::ready);
  EXPECT_EQ(state_of(job_id{4}), job_state::dead);
  EXPECT_EQ(store_->retry_all("mail", job_state::dead, at(3000), 10), 1U);
  EXPECT_EQ(store_->retry_all("mail", job_state::dead, at(3000), 10), 0U);
  EXPECT_EQ(store_->retry_all("missing", job_state::cancelled, at(3000), 10), 0U);
  EXPECT_EQ(store_->retry_all("mail", job_state::done, at(3000), 10), 0U);
  EXPECT_EQ(store_->retry_all("", job_state::cancelled, at(3000), 10), 2U);
}

TEST_P(store_contract, of_64_pushes_with_one_key_one_job_comes) {
  std::vector<std::thread> producers;
  std::vector<job_id> ids(64);
  for (std::size_t number = 0; number < ids.size(); ++number) {
    producers.emplace_back(
        [&, number] { ids[number] = push_one(unique_job(static_cast<std::int64_t>(number) + 1)); });
  }
  for (auto& producer : producers) producer.join();
  EXPECT_EQ(store_->list({}).size(), 1U);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), ids.front()), 64);
}

TEST_P(store_contract, a_transaction_that_is_undone_leaves_the_unique_key_free) {
  const auto body = [](store_transaction& transaction) {
    EXPECT_EQ(transaction.push(unique_job(1)), job_id{1});
    EXPECT_EQ(transaction.push(unique_job(2)), job_id{1});
    throw error(errc::unavailable, "no seat");
  };
  EXPECT_THROW(store_->transact(body, {}), error);
  EXPECT_EQ(push_one(unique_job(3)), job_id{3});
}

TEST_P(store_contract, nothing_is_claimed_from_a_paused_queue) {
  push(job(1));
  push(job(2, 0, "report"));
  store_->set_paused("mail", true);
  store_->set_paused("still_without_jobs", true);
  EXPECT_TRUE(claim(5).jobs.empty());
  EXPECT_EQ(state_of(job_id{1}), job_state::ready);
  const auto stats = store_->stats();
  ASSERT_EQ(stats.size(), 3U);
  EXPECT_TRUE(stats[0].paused) << stats[0].queue;
  EXPECT_EQ(stats[0].ready, 1);
  EXPECT_FALSE(stats[1].paused) << stats[1].queue;
  EXPECT_TRUE(stats[2].paused) << stats[2].queue;

  const auto seen = store_->bell();
  store_->set_paused("mail", false);
  EXPECT_NE(store_->bell(), seen) << "idle workers hear of it";
  EXPECT_EQ(claim(5).jobs.size(), 1U);
}

TEST_P(store_contract, what_runs_in_a_paused_queue_may_end) {
  push(job(1));
  const auto running = claim_one();
  store_->set_paused("mail", true);
  EXPECT_TRUE(store_->finish(end(running, next_step::done)));
  EXPECT_EQ(state_of(job_id{1}), job_state::done);
}

TEST_P(store_contract, jobs_are_found_by_their_tags) {
  auto first = job(1);
  first.tags = {"order:7", "eu", "eu"};
  auto second = job(2);
  second.tags = {"eu"};
  auto third = job(3, 0, "report");
  third.tags = {"eu"};
  store_->push(std::vector<new_job>{first, second, third});
  EXPECT_EQ(store_->find(job_id{1})->tags, (std::vector<std::string>{"eu", "order:7"}));
  const auto ids_of = [](const std::vector<stored_job>& jobs) {
    std::vector<job_id> ids;
    for (const auto& one : jobs) ids.push_back(one.id);
    return ids;
  };
  EXPECT_EQ(ids_of(store_->list({.queue = "mail", .tag = "eu", .state = {}, .before = {}})),
            (std::vector<job_id>{job_id{2}, job_id{1}}));
  EXPECT_EQ(ids_of(store_->list({.queue = {}, .tag = "eu", .state = {}, .before = job_id{3}, .limit = 1})),
            std::vector<job_id>{job_id{2}});
  EXPECT_TRUE(store_->list({.queue = {}, .tag = "us", .state = {}, .before = {}}).empty());
  EXPECT_EQ(store_->list({.queue = {}, .tag = "order:7", .state = {}, .before = {}}).at(0).tags.size(), 2U);
}

TEST_P(store_contract, jobs_with_a_tag_are_listed_by_their_state_wherever_they_go) {
  auto one = job(1, 500);
  one.tags = {"eu", "de"};
  auto other = job(2, 0, "report");
  other.tags = {"eu"};
  store_->push(std::vector<new_job>{one, other, job(3, 500)});
  const auto expect_in = [&](job_state state) {
    for (const auto each : {job_state::scheduled, job_state::ready, job_state::running, job_state::done,
                            job_state::dead, job_state::cancelled}) {
      const auto found = store_->list({.queue = "mail", .tag = "eu", .state = each, .before = {}});
      EXPECT_EQ(found.size(), each == state ? 1U : 0U) << to_string(each) << " while " << to_string(state);
    }
    const auto all = store_->list({.queue = {}, .tag = "eu", .state = {}, .before = {}});
    EXPECT_EQ(all.size(), 2U) << to_string(state);
    const auto not_done =
        store_->list({.queue = "mail", .tag = "de", .state = {}, .without_done = true, .before = {}});
    EXPECT_EQ(not_done.size(), state == job_state::done ? 0U : 1U) << to_string(state);
    EXPECT_EQ(store_->count_tagged("eu").total(), 2) << to_string(state);
  };
  expect_in(job_state::scheduled);
  (void)claim(0);
  expect_in(job_state::ready);
  auto held = claim_one();
  expect_in(job_state::running);
  auto again = end(held, next_step::again);
  again.run_at = at(5000);
  EXPECT_TRUE(store_->finish(again));
  expect_in(job_state::scheduled);
  EXPECT_TRUE(store_->cancel(job_id{1}, at(2500)));
  expect_in(job_state::cancelled);
  EXPECT_TRUE(store_->retry(job_id{1}, at(2600)));
  expect_in(job_state::ready);
  EXPECT_TRUE(store_->cancel(job_id{3}, at(2600)));
  held = claim_one(3000);
  EXPECT_TRUE(store_->finish(end(held, next_step::released)));
  expect_in(job_state::ready);
  held = claim_one(3000);
  EXPECT_TRUE(store_->finish(end(held, next_step::done)));
  expect_in(job_state::done);
}

TEST_P(store_contract, progress_shows_while_the_job_runs_and_only_its_holder_sets_it) {
  push(job(1));
  const auto held = claim_one();
  EXPECT_FALSE(store_->find(job_id{1})->progress);
  const job_progress half{5, 10, "half \xc3\xa9"};
  EXPECT_TRUE(store_->progress(held.id, worker_id{1}, held.fence, half));
  EXPECT_EQ(store_->find(job_id{1})->progress, half);
  EXPECT_FALSE(store_->progress(held.id, worker_id{2}, held.fence, {6, 10, {}}));
  EXPECT_FALSE(store_->progress(held.id, worker_id{1}, held.fence - 1, {6, 10, {}}));
  EXPECT_FALSE(store_->progress(job_id{9}, worker_id{1}, held.fence, {6, 10, {}}));
  EXPECT_EQ(store_->find(job_id{1})->progress, half);
  EXPECT_TRUE(store_->finish(end(held, next_step::again)));
  EXPECT_FALSE(store_->find(job_id{1})->progress);
}

TEST_P(store_contract, a_result_is_kept_as_long_as_its_job) {
  push(job(1));
  push(job(2));
  auto done = end(claim_one(), next_step::done);
  done.result = std::string("4\0002", 3);
  EXPECT_TRUE(store_->finish(done));
  auto failed = end(claim_one(), next_step::dead);
  failed.result = "not a result";
  EXPECT_TRUE(store_->finish(failed));
  EXPECT_EQ(store_->find(job_id{1})->result, done.result);
  EXPECT_FALSE(store_->find(job_id{2})->result);
  EXPECT_EQ(store_->purge(at(9000), at(9000), 10), 2U);
  push(job(1));
  EXPECT_FALSE(store_->find(job_id{1})->result) << "nothing of the former one is left";
}

TEST_P(store_contract, what_a_step_left_is_kept_as_long_as_its_job_and_only_by_who_holds_it) {
  push(job(1));
  push(job(2, 0, "other"));
  const auto first = claim_one();
  const std::string bytes("a\0b", 3);
  EXPECT_FALSE(store_->step(first.id, "charge"));
  EXPECT_TRUE(store_->keep_step(first.id, worker_id{1}, first.fence, "charge", "old"));
  EXPECT_TRUE(store_->keep_step(first.id, worker_id{1}, first.fence, "charge", bytes));
  EXPECT_FALSE(store_->keep_step(first.id, worker_id{2}, first.fence, "charge", "x")) << "another worker";
  EXPECT_FALSE(store_->keep_step(first.id, worker_id{1}, first.fence + 1, "charge", "x"));
  EXPECT_FALSE(store_->keep_step(job_id{2}, worker_id{1}, 1, "charge", "x")) << "not claimed";
  EXPECT_EQ(store_->step(first.id, "charge"), bytes);
  EXPECT_FALSE(store_->step(first.id, "ship"));
  EXPECT_FALSE(store_->step(job_id{2}, "charge"));
  EXPECT_TRUE(store_->finish(end(first, next_step::dead)));
  EXPECT_TRUE(store_->retry(first.id, at(2000)));
  EXPECT_EQ(store_->step(first.id, "charge"), bytes) << "for the next attempt";
  std::vector<std::string> all;
  store_->read_steps(first.id, [&](std::string_view value) { all.emplace_back(value); });
  store_->read_steps(job_id{2}, [&](std::string_view value) { all.emplace_back(value); });
  EXPECT_EQ(all, std::vector<std::string>{bytes});
  EXPECT_TRUE(store_->finish(end(claim_one(3000), next_step::done, 3000)));
  EXPECT_EQ(store_->purge(at(9000), at(9000), 10), 1U);
  EXPECT_FALSE(store_->step(first.id, "charge"));
}

TEST_P(store_contract, the_steps_of_a_job_are_bounded) {
  push(job(1));
  const auto one = claim_one();
  const auto keep = [&](std::size_t number) {
    return store_->keep_step(one.id, worker_id{1}, one.fence, "step " + std::to_string(number), "x");
  };
  for (std::size_t number = 0; number < steps_max; ++number) ASSERT_TRUE(keep(number));
  EXPECT_TRUE(keep(0)) << "in its own place";
  try {
    keep(steps_max);
    FAIL() << "one too many";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::resource_exhausted);
  }
}

TEST_P(store_contract, jobs_with_a_tag_are_counted_by_state) {
  for (const std::int64_t id : {1, 2, 3, 4}) {
    auto one = job(id, id == 4 ? 5000 : 0);
    one.tags = {"batch:9"};
    push(one);
  }
  push(job(5));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::dead)));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::done)));
  claim_one();
  const state_counts counts = store_->count_tagged("batch:9");
  EXPECT_EQ(counts, (state_counts{.scheduled = 1, .running = 1, .done = 1, .dead = 1}));
  EXPECT_EQ(counts.total(), 4);
  EXPECT_EQ(counts.ended(), 2);
  EXPECT_EQ(store_->count_tagged("batch"), state_counts{});
}

TEST_P(store_contract, tags_are_listed_once_and_the_last_first) {
  for (const std::int64_t id : {1, 2, 3, 4}) {
    auto one = job(id);
    one.tags = {"batch:" + std::to_string(id / 2), "batches", "zoo"};
    push(one);
  }
  using texts = std::vector<std::string>;
  EXPECT_EQ(store_->tags("batch:", "", 10), (texts{"batch:2", "batch:1", "batch:0"}));
  EXPECT_EQ(store_->tags("batch:", "", 2), (texts{"batch:2", "batch:1"})) << "as many as asked for";
  EXPECT_EQ(store_->tags("batch:", "batch:1", 10), texts{"batch:0"}) << "the next page";
  EXPECT_EQ(store_->tags("", "", 10), (texts{"zoo", "batches", "batch:2", "batch:1", "batch:0"}));
  EXPECT_EQ(store_->tags("bats", "", 10), texts{});
  EXPECT_TRUE(store_->cancel(job_id{1}, at(2000)));
  EXPECT_EQ(store_->purge(at(3000), at(3000), 10), 1U);
  EXPECT_EQ(store_->tags("batch:", "", 10), (texts{"batch:2", "batch:1"})) << "of jobs that are kept";
}

}  // namespace weft::jobs
