#include <string>
#include <vector>

#include "store_contract/store_contract.hpp"

// Jobs that somebody deletes.

namespace weft::jobs {
namespace {

moment at(std::int64_t micros) { return moment(std::chrono::microseconds(micros)); }

new_job behind(new_job one, std::int64_t parent, bool even_if_given_up = false) {
  one.after.push_back({job_id{parent}, even_if_given_up});
  return one;
}

}  // namespace

TEST_P(store_contract, a_job_is_deleted_with_all_that_is_kept_of_it) {
  auto tagged = job(1);
  tagged.tags = {"t"};
  push(tagged);
  const auto claimed = claim_one();
  EXPECT_TRUE(store_->keep_step(claimed.id, worker_id{1}, claimed.fence, "charge", "x"));
  auto failed = end(claimed, next_step::dead);
  failed.record.error = "why";
  EXPECT_TRUE(store_->finish(failed));
  EXPECT_TRUE(store_->remove(job_id{1}, {}, at(3000)));
  EXPECT_FALSE(store_->find(job_id{1}));
  EXPECT_FALSE(store_->step(job_id{1}, "charge"));
  EXPECT_TRUE(store_->tags("", "", 10).empty());
  EXPECT_TRUE(store_->list({.queue = "mail", .state = {}, .before = {}}).empty());
  for (const auto& one : store_->stats()) EXPECT_EQ(one.dead, 0);
  EXPECT_FALSE(store_->remove(job_id{1}, {}, at(3000))) << "only once";
  push(job(1));
  EXPECT_TRUE(store_->find(job_id{1})->past.empty()) << "nothing of the former one is left";
}

TEST_P(store_contract, a_job_is_not_deleted_that_has_gone_on_since_it_was_seen) {
  push(job(1));
  EXPECT_FALSE(store_->remove(job_id{1}, job_state::dead, at(3000)));
  EXPECT_FALSE(store_->remove(job_id{1}, job_state::scheduled, at(3000)));
  EXPECT_FALSE(store_->remove(job_id{1}, job_state::running, at(3000)));
  EXPECT_EQ(state_of(job_id{1}), job_state::ready) << "and it was not cancelled";
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::dead)));
  EXPECT_FALSE(store_->remove(job_id{1}, job_state::ready, at(3000)));
  EXPECT_FALSE(store_->remove(job_id{1}, job_state::done, at(3000)));
  EXPECT_FALSE(store_->remove(job_id{1}, job_state::cancelled, at(3000)));
  EXPECT_TRUE(store_->retry(job_id{1}, at(4000)));
  EXPECT_FALSE(store_->remove(job_id{1}, job_state::dead, at(5000))) << "somebody has retried it";
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::done, 6000)));
  EXPECT_FALSE(store_->remove(job_id{1}, job_state::dead, at(7000)));
  EXPECT_TRUE(store_->remove(job_id{1}, job_state::done, at(7000)));
  push(job(2));
  EXPECT_TRUE(store_->remove(job_id{2}, job_state::ready, at(7000)));
  push(job(3, 9'000'000));
  EXPECT_TRUE(store_->remove(job_id{3}, job_state::scheduled, at(7000)));
  push(job(4));
  EXPECT_TRUE(store_->cancel(job_id{4}, at(7000)));
  EXPECT_TRUE(store_->remove(job_id{4}, job_state::cancelled, at(8000)));
  EXPECT_TRUE(store_->list({.queue = "mail", .state = {}, .before = {}}).empty());
}

TEST_P(store_contract, a_job_is_deleted_in_whatever_state_but_not_while_it_runs) {
  const auto finish_one = [&](next_step how) { EXPECT_TRUE(store_->finish(end(claim_one(), how))); };
  push(job(1));
  finish_one(next_step::done);
  push(job(2));
  finish_one(next_step::quarantined);
  push(job(3));
  EXPECT_TRUE(store_->cancel(job_id{3}, at(2000)));
  push(job(4));
  const auto running = claim_one();
  push(job(5));
  push(job(6, 9'000'000));
  push(behind(job(7), 5));
  EXPECT_FALSE(store_->remove(job_id{4}, {}, at(3000)));
  EXPECT_EQ(state_of(job_id{4}), job_state::running);
  EXPECT_FALSE(store_->find(job_id{4})->cancel_requested) << "nothing was changed";
  for (const std::int64_t id : {1, 2, 3, 7, 6, 5})
    EXPECT_TRUE(store_->remove(job_id{id}, {}, at(3000))) << id;
  EXPECT_TRUE(store_->finish(end(running, next_step::done, 4000)));
  EXPECT_EQ(store_->stats().at(0).done, 1);
  EXPECT_EQ(store_->list({.queue = "mail", .state = {}, .before = {}}).size(), 1U);
  EXPECT_TRUE(claim(10, 10'000'000).jobs.empty());
}

TEST_P(store_contract, jobs_that_wait_for_one_that_is_deleted_are_cancelled_or_go_on) {
  push(job(1));
  push(behind(job(2), 1));
  push(behind(job(3), 1, true));
  EXPECT_TRUE(store_->remove(job_id{1}, {}, at(2000)));
  EXPECT_EQ(state_of(job_id{2}), job_state::cancelled);
  EXPECT_EQ(state_of(job_id{3}), job_state::ready) << "its end was enough";
  push(job(4));
  push(behind(job(5), 4));
  EXPECT_TRUE(store_->cancel(job_id{4}, at(2000)));
  EXPECT_EQ(state_of(job_id{5}), job_state::blocked) << "it may be retried";
  EXPECT_TRUE(store_->remove(job_id{4}, {}, at(2000)));
  EXPECT_EQ(state_of(job_id{5}), job_state::cancelled);
}

TEST_P(store_contract, a_deleted_job_leaves_its_unique_key_and_its_turn_to_others) {
  auto first = job(1);
  first.unique = unique_key{.key = "k", .at_least = at(5000)};
  push(first);
  auto next = job(2);
  next.unique = unique_key{.key = "k"};
  next.created = at(4999);
  EXPECT_TRUE(store_->remove(job_id{1}, {}, at(2000)));
  EXPECT_EQ(store_->push({&next, 1}).at(0), job_id{1}) << "its period is not over";
  next.created = at(5000);
  EXPECT_EQ(store_->push({&next, 1}).at(0), job_id{2});
  EXPECT_TRUE(store_->remove(job_id{2}, {}, at(6000)));
  next.id = job_id{3};
  EXPECT_EQ(store_->push({&next, 1}).at(0), job_id{3});
  EXPECT_TRUE(store_->remove(job_id{3}, {}, at(6000)));

  for (std::int64_t id = 11; id <= 13; ++id) {
    auto one = job(id);
    one.limit = limit_options{"tenant", 1};
    push(one);
  }
  EXPECT_EQ(claim_one(7000).id, job_id{11});
  EXPECT_TRUE(claim(10, 7000).jobs.empty());
  EXPECT_EQ(state_of(job_id{12}), job_state::blocked);
  EXPECT_TRUE(store_->remove(job_id{12}, {}, at(7000)));
  EXPECT_TRUE(store_->remove(job_id{13}, {}, at(7000)));
  EXPECT_EQ(store_->stats().at(0).blocked, 0);
}

TEST_P(store_contract, who_waits_for_the_end_of_a_job_hears_that_it_was_deleted) {
  push(job(1));
  const auto seen = store_->end_bell(job_id{1});
  EXPECT_TRUE(store_->remove(job_id{1}, {}, at(2000)));
  EXPECT_NE(store_->wait_end(job_id{1}, seen, steady_clock::now() + std::chrono::seconds(30)), seen);
}

}  // namespace weft::jobs
