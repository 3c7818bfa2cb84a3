#include <weft/jobs/search.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/jobs/change.hpp>
#include <weft/jobs/why_waiting.hpp>

#include "jobs/jobs_fixture.hpp"

// What people ask of many jobs, and why one does not run.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

closure<> letter() {
  return closure{named_closure<"search.Letter">([] {})};
}
closure<> parcel(std::string why) {
  return closure{named_closure<"search.parcel">([](std::string text) { throw std::runtime_error(text); }),
                 std::move(why)};
}

class jobs_search : public jobs_fixture {
 protected:
  std::vector<job_id> found(const search_filter& filter, std::size_t limit = 100) {
    std::vector<job_id> ids;
    for (const auto& one : search(queue_->kept_in(), filter, std::nullopt, limit, no_deadline).jobs)
      ids.push_back(one.id);
    return ids;
  }
  std::vector<std::string> why(job_id id) {
    return why_waiting(queue_->kept_in(), *queue_->kept_in().find(id), clock_.now());
  }
};

using ids = std::vector<job_id>;

TEST_F(jobs_search, finds_by_parts_of_closure_and_last_error_in_any_case) {
  const auto a = queue_->push(letter());
  const auto b = queue_->push(parcel("no such HOST"), {.max_attempts = 1});
  const auto c = queue_->push(parcel("too heavy"), {.max_attempts = 1});
  EXPECT_EQ(run_due(), 3U);
  EXPECT_EQ(found({.closure = "letter"}), ids{a});
  EXPECT_EQ(found({.closure = "SEARCH."}), (ids{c, b, a}));
  EXPECT_EQ(found({.error = "such host"}), ids{b});
  EXPECT_EQ(found({.closure = "parcel", .error = "heavy"}), ids{c});
  EXPECT_EQ(found({.state = job_state::dead, .closure = "letter"}), ids{});
  EXPECT_EQ(last_error_of(queue_->kept_in(), *queue_->kept_in().find(c))->message, "too heavy");
  EXPECT_FALSE(last_error_of(queue_->kept_in(), *queue_->kept_in().find(a)));
}

TEST_F(jobs_search, finds_by_the_moment_of_the_push) {
  clock_.advance(24h * 3650);  // ids of a process only grow: past those of other tests
  const auto start = clock_.now();
  const auto a = queue_->push(letter());
  clock_.advance(1h);
  const auto b = queue_->push(letter());
  clock_.advance(1h);
  const auto c = queue_->push(letter());
  EXPECT_EQ(found({.pushed_from = start + 30min}), (ids{c, b}));
  EXPECT_EQ(found({.pushed_to = start + 90min}), (ids{b, a}));
  EXPECT_EQ(found({.pushed_from = start + 1h, .pushed_to = start + 2h}), ids{b}) << "from, and before";
  EXPECT_EQ(found({.pushed_to = moment::min()}), ids{});
  EXPECT_EQ(found({.pushed_from = moment::max()}), ids{});
}

TEST_F(jobs_search, goes_on_where_it_stopped_and_ends) {
  for (int i = 0; i < 5; ++i) queue_->push(i % 2 == 0 ? letter() : parcel("?"));
  std::optional<job_id> before;
  std::size_t pages = 0;
  ids all;
  do {  // no time at all: a job at each call
    const auto page = search(queue_->kept_in(), {.closure = "letter"}, before, 10, steady_time::min());
    EXPECT_LE(page.looked_at, 1U);
    for (const auto& one : page.jobs) all.push_back(one.id);
    before = page.next;
    ++pages;
  } while (before);
  EXPECT_EQ(pages, 6U);
  EXPECT_EQ(all, found({.closure = "letter"}));
  const auto first_two = search(queue_->kept_in(), {}, std::nullopt, 2, no_deadline);
  EXPECT_EQ(first_two.jobs.size(), 2U);
  EXPECT_EQ(search(queue_->kept_in(), {}, first_two.next, 100, no_deadline).jobs.size(), 3U);
}

TEST_F(jobs_search, tells_why_a_job_does_not_run) {
  const auto first = queue_->push(letter());
  const auto after = queue_->push(letter(), {.after = {first}});
  const auto later = queue_->push(letter(), {.delay = 1h});
  const auto limited = queue_->push(letter(), {.limit = limit_options{.key = "press"}});
  EXPECT_EQ(why(first).at(0), "No worker is there: none has told this database that it is.");
  EXPECT_EQ(why(after).at(0), "It waits for job " + to_string(first) + ", which is ready.");
  EXPECT_EQ(why(later).at(0), "It waits for its time, 2023-11-14T23:13:20Z.");
  queue_->pause();
  EXPECT_EQ(why(first).at(0), "Its queue \"default\" is paused.");
  queue_->resume();
  queue_->cancel(first);
  EXPECT_EQ(why(first).at(0), "It was cancelled; retry it to run it again.");
  EXPECT_EQ(why(after).at(0), "It waits for job " + to_string(first) +
                                  ", which is cancelled: it goes on once that is retried and done.");
  run_due();
  EXPECT_TRUE(why(limited).empty()) << "it is done";
}

TEST_F(jobs_search, a_change_says_why_a_job_was_left) {
  const auto id = queue_->push(letter());
  auto& store = queue_->kept_in();
  EXPECT_EQ(change_job(store, job_change::retry, id, clock_.now()),
            "it is ready: only dead, cancelled and quarantined jobs are retried");
  EXPECT_EQ(change_job(store, job_change::cancel, id, clock_.now()), "");
  EXPECT_EQ(change_job(store, job_change::cancel, id, clock_.now()), "it is cancelled: it has ended already");
  EXPECT_EQ(change_job(store, job_change::retry, id, clock_.now()), "");
  EXPECT_EQ(change_job(store, job_change::retry, job_id{1}, clock_.now()), "there is no such job");
}

}  // namespace
}  // namespace weft::jobs
