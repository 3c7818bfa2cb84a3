#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "store_contract/store_contract.hpp"

// Lists in pages, counts, and when what was written is seen.

namespace weft::jobs {
namespace {

moment at(std::int64_t micros) { return moment(std::chrono::microseconds(micros)); }

using ids = std::vector<job_id>;

std::string text_of(const list_filter& filter) {
  return "queue \"" + filter.queue + "\", tag \"" + filter.tag + "\", state " +
         (filter.state          ? std::string(to_string(*filter.state))
          : filter.without_done ? "not done"
                                : "any");
}

}  // namespace

TEST_P(store_contract, a_list_in_pages_shows_each_job_once_whatever_is_asked_for) {
  // Three of each state, in two queues, some with a tag.
  const std::vector<job_state> states{job_state::scheduled, job_state::ready,      job_state::running,
                                      job_state::done,      job_state::dead,       job_state::cancelled,
                                      job_state::blocked,   job_state::quarantined};
  const auto state_for = [&](std::int64_t id) { return states.at(static_cast<std::size_t>(id - 1) % 8); };
  const auto push_those = [&](bool claimed_too) {
    for (std::int64_t id = 1; id <= 24; ++id) {
      const job_state wanted = state_for(id);
      if ((wanted != job_state::ready && wanted != job_state::blocked) != claimed_too) continue;
      const bool is_later = wanted == job_state::scheduled;
      new_job one = job(id, is_later ? 1'000'000 : 0, id % 3 == 0 ? "report" : "mail");
      if (id % 2 == 0) one.tags = {"eu"};
      one.priority = static_cast<int>(id % 5);
      if (wanted == job_state::blocked) one.after = {{job_id{2}, false}};
      push(one);
      if (wanted != job_state::cancelled) continue;
      EXPECT_TRUE(store_->cancel(one.id, at(1500)));
    }
  };
  push_those(true);
  join();
  claim_request all;
  all.owner = worker_id{1};
  all.queues = {"mail", "report"};
  all.count = 24;
  all.now = at(1000);
  for (const auto& claimed : store_->claim(all).jobs) {
    const job_state wanted = state_for(static_cast<std::int64_t>(claimed.id));
    if (wanted == job_state::running) continue;
    EXPECT_TRUE(store_->finish(end(claimed, wanted == job_state::done   ? next_step::done
                                            : wanted == job_state::dead ? next_step::dead
                                                                        : next_step::quarantined)));
  }
  push_those(false);
  for (std::int64_t id = 1; id <= 24; ++id) ASSERT_EQ(state_of(job_id{id}), state_for(id)) << id;
  const auto every = store_->list({});
  ASSERT_EQ(every.size(), 24U);
  EXPECT_TRUE(std::is_sorted(every.rbegin(), every.rend(),
                             [](const auto& left, const auto& right) { return left.id < right.id; }));

  std::vector<list_filter> filters;
  for (const char* const queue : {"", "mail", "report", "none"}) {
    for (const char* const tag : {"", "eu", "us"}) {
      filters.push_back({.queue = queue, .tag = tag, .state = {}, .before = {}});
      filters.push_back({.queue = queue, .tag = tag, .state = {}, .without_done = true, .before = {}});
      for (const auto state : states)
        filters.push_back({.queue = queue, .tag = tag, .state = state, .before = {}});
    }
  }
  for (auto filter : filters) {
    ids expected;
    for (const auto& one : every) {
      const bool fits =
          (filter.queue.empty() || one.queue == filter.queue) &&
          (filter.tag.empty() || std::ranges::count(one.tags, filter.tag) > 0) &&
          (filter.state ? one.state == *filter.state : !filter.without_done || one.state != job_state::done);
      if (fits) expected.push_back(one.id);
    }
    ids listed;
    filter.limit = 2;
    for (auto page = store_->list(filter); !page.empty(); page = store_->list(filter)) {
      EXPECT_TRUE(page.size() == 2 || listed.size() + page.size() == expected.size()) << text_of(filter);
      for (const auto& one : page) listed.push_back(one.id);
      filter.before = page.back().id;
    }
    EXPECT_EQ(listed, expected) << text_of(filter);
  }
}

TEST_P(store_contract, a_job_is_seen_as_soon_as_its_push_or_its_end_has_returned) {
  std::vector<std::thread> users;
  for (std::int64_t number = 0; number < 4; ++number) {
    users.emplace_back([&, number] {
      const std::string queue = "queue " + std::to_string(number);
      for (std::int64_t id = number * 100 + 1; id <= number * 100 + 25; ++id) {
        push(job(id, 0, queue));
        EXPECT_EQ(state_of(job_id{id}), job_state::ready);
        const auto listed = store_->list({.queue = queue, .state = {}, .before = {}, .limit = 1});
        EXPECT_TRUE(listed.size() == 1 && listed[0].id == job_id{id});
        EXPECT_TRUE(store_->cancel(job_id{id}, at(1)));
        EXPECT_EQ(state_of(job_id{id}), job_state::cancelled);
      }
    });
  }
  for (auto& user : users) user.join();
  for (const auto& of : store_->stats()) EXPECT_EQ(of.cancelled, 25) << of.queue;
}

TEST_P(store_contract, counts_are_right_after_pushes_that_were_undone) {
  push(job(1));
  const auto refuse = [&](const auto& body) {
    EXPECT_THROW(store_->transact(body, {}), std::exception);
    ASSERT_EQ(store_->stats().size(), 1U);
    EXPECT_EQ(store_->stats().at(0).ready, 1);
  };
  const std::vector<new_job> taken{job(2), job(1)};
  EXPECT_THROW(store_->push(taken), error);
  refuse([](store_transaction& in) {
    in.push(job(2));
    in.push(job(3, 0, "another"));
    throw std::runtime_error("no");
  });
  refuse([](store_transaction& in) {
    in.push(job(2));
    in.push(job(1));
  });
  EXPECT_EQ(store_->count_unroutable([](std::string_view) { return false; }), 1);
  push(job(2, 0, "another"));
  EXPECT_EQ(store_->stats().size(), 2U);
}

TEST_P(store_contract, finds_the_job_of_each_queue_that_could_be_claimed_for_the_longest_time) {
  using all = std::vector<oldest_ready>;
  EXPECT_EQ(store_->find_oldest_ready(at(1000)), all{});
  // In lines of several closures, priorities and limits; the oldest is neither the first nor the last one.
  std::int64_t id = 0;
  for (const std::string queue : {"mail", "report"}) {
    for (const std::int64_t since : {700, 300, 500}) {
      for (int line = 0; line < 4; ++line) {
        new_job one = job(++id, since + line, queue);
        one.handler += std::to_string(line % 2);
        one.created = one.run_at;  // it is ready at once
        one.priority = static_cast<int>(since) % 7 - 3;
        if (line > 1) one.limit = limit_options{.key = "limit " + std::to_string(since), .max = 5};
        push(one);
      }
    }
  }
  push(job(++id, 2000, "mail"));
  push(job(++id, 1500, "later"));
  EXPECT_EQ(store_->find_oldest_ready(at(1000)), (all{{"mail", at(300)}, {"report", at(300)}}));
  EXPECT_EQ(store_->find_oldest_ready(at(1500)),
            (all{{"later", at(1500)}, {"mail", at(300)}, {"report", at(300)}}))
      << "one that has fallen due could be claimed";

  store_->set_paused("report", true);
  for (std::int64_t gone = 5; gone <= 8; ++gone) EXPECT_TRUE(store_->cancel(job_id{gone}, at(1000)));
  EXPECT_EQ(store_->find_oldest_ready(at(1000)), (all{{"mail", at(500)}, {"report", at(300)}}));
  const auto claimed = claim(100);
  EXPECT_EQ(claimed.jobs.size(), 8U);
  EXPECT_EQ(store_->find_oldest_ready(at(1000)), (all{{"report", at(300)}})) << "what runs does not wait";
}

TEST_P(store_contract, looks_at_so_many_lines_for_the_oldest_jobs_and_no_more) {
  std::vector<new_job> jobs;
  for (std::int64_t id = 1; id <= static_cast<std::int64_t>(oldest_ready_lines_max) + 1; ++id) {
    jobs.push_back(job(id, 2'000'000 - id));
    jobs.back().created = jobs.back().run_at;
    jobs.back().priority = static_cast<int>(id);
  }
  store_->push(jobs);
  const auto found = store_->find_oldest_ready(at(3'000'000));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_GE(found[0].since, at(2'000'000 - static_cast<std::int64_t>(jobs.size())));
  EXPECT_LE(found[0].since, at(2'000'000 - static_cast<std::int64_t>(jobs.size()) / 2));
}

TEST_P(store_contract, a_retry_of_all_takes_more_than_one_step_and_stops_at_its_limit) {
  constexpr std::int64_t count = 1300;
  std::vector<new_job> jobs;
  for (std::int64_t id = 1; id <= count; ++id) jobs.push_back(job(id, 0, id % 2 == 0 ? "mail" : "report"));
  store_->push(jobs);
  join();
  claim_request all;
  all.owner = worker_id{1};
  all.queues = {"mail", "report"};
  all.count = jobs.size();
  all.now = at(1000);
  for (const auto& one : store_->claim(all).jobs) EXPECT_TRUE(store_->finish(end(one, next_step::dead)));
  EXPECT_EQ(store_->retry_all("mail", job_state::dead, at(2), 600), 600U);
  EXPECT_EQ(state_of(job_id{1200}), job_state::ready) << "the oldest first";
  EXPECT_EQ(state_of(job_id{1202}), job_state::dead);
  EXPECT_EQ(store_->retry_all("", job_state::dead, at(3), 10'000), 700U);
  EXPECT_EQ(store_->retry_all("", job_state::dead, at(3), 10'000), 0U);
}

}  // namespace weft::jobs
