#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "store_contract/store_contract.hpp"

// Jobs that wait for room within a limit, or for other jobs.

namespace weft::jobs {
namespace {

moment at(std::int64_t micros) { return moment(std::chrono::microseconds(micros)); }

new_job with_limit(new_job one, int max, const std::string& key = "tenant") {
  one.limit = limit_options{key, max};
  return one;
}

new_job behind(new_job one, const std::vector<std::int64_t>& parents, bool even_if_given_up = false) {
  for (const std::int64_t id : parents) one.after.push_back({job_id{id}, even_if_given_up});
  return one;
}

std::vector<job_id> ids_of(const claim_result& claimed) {
  std::vector<job_id> ids;
  for (const auto& one : claimed.jobs) ids.push_back(one.id);
  return ids;
}

using ids = std::vector<job_id>;

}  // namespace

TEST_P(store_contract, no_more_jobs_of_a_limit_run_than_it_says_and_others_pass_them) {
  for (std::int64_t id = 1; id <= 4; ++id) push(with_limit(job(id), 2));
  push(job(5));
  push(with_limit(job(6), 1, "other tenant"));
  const auto claimed = by_id(claim(10));
  EXPECT_EQ(ids_of(claimed), (ids{job_id{1}, job_id{2}, job_id{5}, job_id{6}}));
  EXPECT_EQ(state_of(job_id{3}), job_state::blocked);
  EXPECT_EQ(store_->find(job_id{3})->limit, "tenant");
  EXPECT_EQ(store_->stats().at(0).blocked, 2);
  EXPECT_TRUE(claim(10).jobs.empty());
  EXPECT_TRUE(store_->finish(end(claimed.jobs[0], next_step::done)));
  EXPECT_EQ(ids_of(claim(10)), ids{job_id{3}});
  EXPECT_EQ(state_of(job_id{4}), job_state::blocked);
}

TEST_P(store_contract, keys_of_limits_take_turns_so_that_many_jobs_of_one_keep_no_other_waiting) {
  std::vector<new_job> many;
  for (std::int64_t id = 1; id <= 200; ++id) many.push_back(with_limit(job(id), 1000, "large"));
  for (std::int64_t id = 201; id <= 210; ++id) many.push_back(job(id));
  for (std::int64_t id = 211; id <= 213; ++id) many.push_back(with_limit(job(id), 1000, "small"));
  many.push_back(with_limit(job(300), 1000, "alone"));
  many.back().handler = "mail.other";
  auto urgent = with_limit(job(400), 1000, "large");
  urgent.priority = -1;
  many.push_back(urgent);
  store_->push(many);
  EXPECT_EQ(claim_one().id, job_id{400}) << "the priority comes first";
  std::map<char, std::vector<job_id>> seen;
  const auto kind = [](job_id id) {
    const auto number = static_cast<std::int64_t>(id);
    return number <= 200 ? 'l' : number <= 210 ? 'n' : number <= 213 ? 's' : 'a';
  };
  for (int claims = 0; claims < 4; ++claims) seen[kind(claim_one().id)].push_back({});
  EXPECT_EQ(seen.size(), 4U) << "one of each key";
  seen.clear();
  const auto more = claim(9);
  ASSERT_EQ(more.jobs.size(), 9U);
  for (const auto& one : more.jobs) seen[kind(one.id)].push_back(one.id);
  EXPECT_EQ(seen['s'], (ids{job_id{212}, job_id{213}}));
  EXPECT_GE(seen['l'].size(), 3U);
  EXPECT_GE(seen['n'].size(), 3U);
  EXPECT_TRUE(std::is_sorted(seen['l'].begin(), seen['l'].end()));
  std::size_t rest = 0;
  for (auto claimed = claim(64); !claimed.jobs.empty(); claimed = claim(64)) {
    rest += claimed.jobs.size();
    std::map<char, job_id> last;
    for (const auto& one : claimed.jobs) {
      EXPECT_LT(last[kind(one.id)], one.id) << "of one key by moment and id";
      last[kind(one.id)] = one.id;
    }
  }
  EXPECT_EQ(rest, many.size() - 1 - 4 - 9);
}

// Whoever waits for the bell would else look again only after its own interval.
TEST_P(store_contract, the_bell_rings_for_what_an_end_makes_ready) {
  const auto rings = [&](const auto& change) {
    const auto seen = store_->bell();
    change();
    return store_->bell() != seen;
  };
  push(with_limit(job(1), 1));
  push(with_limit(job(2), 1));
  push(job(3));
  push(behind(job(4), {3}));
  const auto claimed = by_id(claim(10));
  ASSERT_EQ(ids_of(claimed), (ids{job_id{1}, job_id{3}}));
  EXPECT_TRUE(rings([&] { EXPECT_TRUE(store_->finish(end(claimed.jobs[0], next_step::done))); }));
  EXPECT_TRUE(rings([&] { EXPECT_TRUE(store_->finish(end(claimed.jobs[1], next_step::done))); }));
  EXPECT_EQ(state_of(job_id{2}), job_state::ready);
  EXPECT_EQ(state_of(job_id{4}), job_state::ready);
  push(behind(job(5), {2}, true));
  EXPECT_TRUE(rings([&] { EXPECT_TRUE(store_->cancel(job_id{2}, at(1))); }));
  EXPECT_EQ(state_of(job_id{5}), job_state::ready);
}

TEST_P(store_contract, every_way_in_which_an_attempt_ends_makes_room) {
  push(with_limit(job(1), 1));
  std::int64_t next_id = 2;
  const auto expect_next_after = [&](const auto& ends) {
    push(with_limit(job(next_id), 1));
    const auto running = claim(5);
    ASSERT_EQ(ids_of(running), ids{job_id{next_id - 1}});
    ends(running.jobs[0]);
    EXPECT_EQ(state_of(job_id{next_id}), job_state::ready) << next_id;
    ++next_id;
  };
  for (const auto next : {next_step::done, next_step::dead, next_step::cancelled, next_step::quarantined}) {
    expect_next_after([&](const claimed_job& one) { EXPECT_TRUE(store_->finish(end(one, next))); });
  }
  expect_next_after([&](const claimed_job& one) {
    auto later = end(one, next_step::again);
    later.run_at = at(9000);
    EXPECT_TRUE(store_->finish(later));
  });
  expect_next_after([&](const claimed_job&) { lose(worker_id{1}, 1500, 1); });
}

TEST_P(store_contract, a_cancelled_job_hands_its_turn_on) {
  for (std::int64_t id = 1; id <= 3; ++id) push(with_limit(job(id), 1));
  EXPECT_TRUE(store_->finish(end(claim(5).jobs.at(0), next_step::done)));
  EXPECT_EQ(state_of(job_id{2}), job_state::ready);
  EXPECT_EQ(state_of(job_id{3}), job_state::blocked);
  EXPECT_TRUE(store_->cancel(job_id{2}, at(2500)));
  EXPECT_EQ(ids_of(claim(5)), ids{job_id{3}});
  EXPECT_TRUE(store_->cancel(job_id{3}, at(2500)));
}

TEST_P(store_contract, a_limit_holds_over_queues_and_a_paused_one_keeps_no_other_waiting) {
  push(with_limit(job(1), 1));
  push(with_limit(job(2), 1));
  push(with_limit(job(3, 0, "report"), 1));
  claim_request both;
  join();
  both.owner = worker_id{1};
  both.queues = {"mail", "report"};
  both.count = 10;
  both.now = at(1000);
  const auto first = store_->claim(both);
  EXPECT_EQ(ids_of(first), ids{job_id{1}});
  store_->set_paused("mail", true);
  EXPECT_TRUE(store_->finish(end(first.jobs.at(0), next_step::done)));
  EXPECT_EQ(ids_of(store_->claim(both)), ids{job_id{3}});
}

TEST_P(store_contract, a_limit_that_is_raised_lets_blocked_jobs_go_on) {
  for (std::int64_t id = 1; id <= 3; ++id) push(with_limit(job(id), 1));
  EXPECT_EQ(claim(5).jobs.size(), 1U);
  push(with_limit(job(4, 0, "report"), 3));
  EXPECT_EQ(ids_of(claim(5)), (ids{job_id{2}, job_id{3}}));
}

TEST_P(store_contract, all_jobs_of_a_limit_that_is_raised_go_on) {
  std::vector<new_job> many;
  for (std::int64_t id = 1; id <= 1201; ++id) many.push_back(with_limit(job(id), 1));
  store_->push(many);
  std::size_t running = 0;
  const auto claim_all = [&] {
    for (auto claimed = claim(5000); !claimed.jobs.empty() || claimed.next_due; claimed = claim(5000))
      running += claimed.jobs.size();
  };
  claim_all();
  ASSERT_EQ(running, 1U);
  push(with_limit(job(2000, 0, "report"), 5000));
  claim_all();
  EXPECT_EQ(running, many.size());
}

TEST_P(store_contract, a_closure_that_nobody_knows_takes_no_turn_of_a_limit) {
  auto unknown = with_limit(job(2), 1);
  unknown.handler = "mail.farewell";
  push(with_limit(job(1), 1));
  push(unknown);
  push(with_limit(job(3), 1));
  const auto first = claim(5).jobs;
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(state_of(job_id{2}), job_state::blocked);
  EXPECT_TRUE(store_->finish(end(first[0], next_step::done)));
  claim_request request;
  request.owner = worker_id{1};
  request.queues = {"mail"};
  request.count = 5;
  request.now = at(3000);
  request.routable = [](std::string_view handler) { return handler == "mail.welcome"; };
  EXPECT_EQ(ids_of(store_->claim(request)), ids{job_id{3}});
  EXPECT_EQ(state_of(job_id{2}), job_state::ready);
}

TEST_P(store_contract, workers_at_once_keep_within_the_limit_and_finish_all) {
  constexpr std::int64_t count = 60;
  constexpr int max = 3;
  for (std::int64_t id = 1; id <= count; ++id) push(with_limit(job(id), max));
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> claims{0};
  std::atomic<std::int64_t> done{0};
  std::vector<std::thread> workers;
  for (std::int64_t number = 1; number <= 4; ++number) {
    workers.emplace_back([&, owner = worker_id{number}] {
      while (done < count) {
        const auto claimed = claim(2, 1000, owner).jobs;
        const int now = running += static_cast<int>(claimed.size());
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        // Held until the others have asked for more: with the limit kept, one of them has room for nothing
        // and goes on to ask.
        const int since = ++claims;
        while (!claimed.empty() && claims - since < 4 && running <= max) std::this_thread::yield();
        for (const auto& one : claimed) {
          --running;
          auto over = end(one, next_step::done);
          over.owner = owner;
          if (store_->finish(over)) ++done;
        }
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_LE(most, max);
  EXPECT_EQ(store_->stats().at(0).done, count);
}

TEST_P(store_contract, a_job_runs_after_those_it_waits_for) {
  push(job(1));
  push(job(2));
  push(behind(job(3, 5000), {1, 2, 2}));
  push(behind(job(4), {3}));
  EXPECT_EQ(state_of(job_id{3}), job_state::blocked);
  EXPECT_EQ(store_->find(job_id{3})->waits_for, (ids{job_id{1}, job_id{2}}));
  const auto first = claim(10);
  EXPECT_EQ(ids_of(first), (ids{job_id{1}, job_id{2}}));
  for (const auto& one : first.jobs) EXPECT_TRUE(store_->finish(end(one, next_step::done)));
  EXPECT_EQ(state_of(job_id{3}), job_state::scheduled) << "its moment has not come";
  EXPECT_TRUE(store_->find(job_id{3})->waits_for.empty());
  EXPECT_TRUE(store_->finish(end(claim_one(5000), next_step::done, 5100)));
  EXPECT_EQ(claim_one(5200).id, job_id{4});
}

TEST_P(store_contract, one_that_is_given_up_keeps_them_waiting_until_it_is_retried) {
  push(job(1));
  push(behind(job(2), {1}));
  push(behind(job(3), {1}, true));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::dead)));
  push(behind(job(4), {1}));
  push(behind(job(5), {1}, true));
  EXPECT_EQ(state_of(job_id{2}), job_state::blocked);
  EXPECT_EQ(state_of(job_id{3}), job_state::ready) << "any end is enough for it";
  EXPECT_EQ(state_of(job_id{4}), job_state::blocked);
  EXPECT_EQ(state_of(job_id{5}), job_state::ready);
  EXPECT_TRUE(store_->retry(job_id{1}, at(3000)));
  const auto claimed = claim(10, 3000);
  for (const auto& one : claimed.jobs) EXPECT_TRUE(store_->finish(end(one, next_step::done, 3100)));
  EXPECT_EQ(ids_of(claim(10, 3200)), (ids{job_id{2}, job_id{4}}));
}

TEST_P(store_contract, who_waits_for_a_job_that_is_deleted_is_cancelled) {
  push(job(1));
  push(behind(job(2), {1}));
  push(behind(job(3), {2}, true));
  EXPECT_TRUE(store_->cancel(job_id{1}, at(1500)));
  EXPECT_EQ(state_of(job_id{2}), job_state::blocked);
  EXPECT_EQ(store_->purge(at(2000), at(2000), 10), 1U);
  EXPECT_EQ(state_of(job_id{2}), job_state::cancelled);
  EXPECT_EQ(claim_one(2100).id, job_id{3});
}

TEST_P(store_contract, a_blocked_job_can_be_cancelled_and_a_retry_waits_for_nothing) {
  push(job(1));
  push(behind(job(2), {1}));
  EXPECT_TRUE(store_->cancel(job_id{2}, at(1500)));
  EXPECT_EQ(state_of(job_id{2}), job_state::cancelled);
  EXPECT_TRUE(store_->retry(job_id{2}, at(1600)));
  EXPECT_EQ(state_of(job_id{2}), job_state::ready);
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::done))) << "the end of its parent changes nothing";
  EXPECT_EQ(state_of(job_id{2}), job_state::ready);
}

TEST_P(store_contract, a_job_cannot_wait_for_one_that_is_not_there_and_nothing_is_left_of_the_push) {
  const std::vector<new_job> batch{job(1), behind(job(2), {1}), behind(job(3), {9})};
  try {
    store_->push(batch);
    FAIL() << "it waits for ever";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::not_found);
  }
  EXPECT_TRUE(store_->list({}).empty());
  store_->push(std::span(batch).first(2));
  EXPECT_EQ(state_of(job_id{2}), job_state::blocked);
}

TEST_P(store_contract, a_transaction_goes_on_after_a_push_that_was_refused) {
  store_->transact(
      [](store_transaction& inside) {
        inside.push(job(1));
        auto refused = behind(unique_job(2), {9});
        EXPECT_THROW(inside.push(refused), error);
        EXPECT_THROW(inside.push(job(1)), error);
        EXPECT_EQ(inside.push(unique_job(3)), job_id{3}) << "the refused one does not have the key";
      },
      {});
  EXPECT_EQ(store_->list({}).size(), 2U);
}

TEST_P(store_contract, a_job_that_waits_can_be_made_to_wait_for_one_more) {
  push(job(1));
  auto last = job(2);
  last.after = {{job_id{1}, true}};
  push(last);
  auto more = job(3);
  more.before = job_id{2};
  push(more);
  EXPECT_EQ(store_->find(job_id{2})->waits_for, (std::vector<job_id>{job_id{1}, job_id{3}}));
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::done)));
  EXPECT_EQ(state_of(job_id{2}), job_state::blocked);
  EXPECT_TRUE(store_->finish(end(claim_one(), next_step::dead))) << "its end is enough";
  EXPECT_EQ(state_of(job_id{2}), job_state::ready);
  for (const std::int64_t none : {2, 77}) {
    auto late = job(4);
    late.before = job_id{none};
    try {
      push(late);
      FAIL() << "it waits for no other";
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::refused);
    }
    EXPECT_FALSE(store_->find(job_id{4}));
  }
}

}  // namespace weft::jobs
