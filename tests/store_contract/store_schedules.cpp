#include <string>
#include <thread>
#include <vector>

#include "store_contract/store_contract.hpp"

// Schedules: rows that move on together with the jobs they push.

namespace weft::jobs {
namespace {

moment at(std::int64_t micros) { return moment(std::chrono::microseconds(micros)); }

stored_schedule row(const std::string& name, std::int64_t next, const std::string& queue = "mail") {
  return {name, queue, "@hourly\nUTC", "envelope of " + name, at(next - 100), at(next)};
}

schedule_fire fire_of(const stored_schedule& seen, std::int64_t next, std::vector<new_job> jobs = {}) {
  return {seen.name, seen.envelope, seen.next, at(1000), at(1000), at(next), std::move(jobs)};
}

std::vector<std::string> names(const std::vector<stored_schedule>& all) {
  std::vector<std::string> found;
  for (const auto& one : all) found.push_back(one.name);
  return found;
}

}  // namespace

TEST_P(store_contract, a_claim_tells_of_schedules_of_its_queues_that_are_due_and_of_the_next_one) {
  store_->put_schedule(row("later", 5000));
  store_->put_schedule(row("second", 1000));
  store_->put_schedule(row("first", 400));
  store_->put_schedule(row("of another queue", 300, "other"));
  const auto due = claim(1, 1000);
  EXPECT_EQ(names(due.schedules), (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(due.schedules[0].envelope, "envelope of first");
  EXPECT_EQ(due.schedules[0].queue, "mail");
  EXPECT_EQ(due.schedules[0].last, at(300));
  for (const auto& one : due.schedules) EXPECT_TRUE(store_->fire(fire_of(one, 7000)));
  const auto none = claim(1, 1000);
  EXPECT_TRUE(none.schedules.empty());
  EXPECT_EQ(none.next_fire, at(5000));
  EXPECT_FALSE(none.next_due) << "that is of jobs";
  EXPECT_EQ(names(claim(0, 5000).schedules), std::vector<std::string>{"later"}) << "also without a free slot";
}

TEST_P(store_contract, a_claim_says_when_the_next_schedule_is_due_once_those_it_tells_of_have_moved_on) {
  store_->put_schedule(row("due", 1000));
  EXPECT_FALSE(claim(0, 1000).next_fire);
  store_->put_schedule(row("later", 5000, "mail"));
  EXPECT_EQ(claim(0, 1000).next_fire, at(5000));
}

TEST_P(store_contract, a_claim_tells_of_100_schedules_at_most_the_longest_due) {
  for (int number = 0; number < 102; ++number) {
    store_->put_schedule(row("schedule " + std::to_string(number), 900 - number));
  }
  store_->put_schedule(row("later", 5000));
  const auto due = claim(0, 1000);
  ASSERT_EQ(due.schedules.size(), 100U);
  EXPECT_EQ(due.schedules.front().name, "schedule 101");
  EXPECT_EQ(due.schedules.back().name, "schedule 2");
  EXPECT_EQ(due.next_fire, at(1000)) << "two others are due";
  for (const auto& one : due.schedules) EXPECT_TRUE(store_->fire(fire_of(one, 7000)));
  const auto rest = claim(0, 1000);
  EXPECT_EQ(names(rest.schedules), (std::vector<std::string>{"schedule 1", "schedule 0"}));
  EXPECT_EQ(rest.next_fire, at(5000));
}

TEST_P(store_contract, a_schedule_that_a_worker_does_not_want_takes_no_place_of_others) {
  for (int number = 0; number < 100; ++number) {
    store_->put_schedule(row("unread " + std::to_string(number), 800));
  }
  store_->put_schedule(row("own", 900));
  claim_request request;
  join(worker_id{1});
  request.owner = worker_id{1};
  request.queues = {"mail"};
  request.count = 0;
  request.now = at(1000);
  request.wants_schedule = [](const stored_schedule& one) { return one.name == "own"; };
  const auto told = store_->claim(request);
  EXPECT_EQ(names(told.schedules), std::vector<std::string>{"own"});
  EXPECT_FALSE(told.next_fire);
  EXPECT_EQ(claim(0, 1000).schedules.size(), 100U);
}

TEST_P(store_contract, a_schedule_moves_on_with_its_jobs_once) {
  store_->put_schedule(row("one", 900));
  const auto seen = claim(1, 1000).schedules.at(0);
  EXPECT_TRUE(store_->fire(fire_of(seen, 2000, {job(1), job(2)})));
  EXPECT_FALSE(store_->fire(fire_of(seen, 2000, {job(3)}))) << "another worker was faster";
  EXPECT_EQ(claim(9).jobs.size(), 2U);
  EXPECT_FALSE(store_->find(job_id{3}));
  const auto kept = store_->schedules().at(0);
  EXPECT_EQ(kept.last, at(1000));
  EXPECT_EQ(kept.next, at(2000));
}

TEST_P(store_contract, a_fire_whose_jobs_cannot_be_pushed_changes_nothing) {
  store_->put_schedule(row("one", 900));
  push(job(2));
  const auto seen = claim(0, 1000).schedules.at(0);
  EXPECT_THROW(store_->fire(fire_of(seen, 2000, {job(1), job(2)})), error);
  EXPECT_FALSE(store_->find(job_id{1}));
  EXPECT_EQ(store_->schedules().at(0).next, at(900));
}

TEST_P(store_contract, a_fire_pushes_no_job_that_is_there_by_its_unique_key) {
  store_->put_schedule(row("one", 900));
  push(unique_job(1));
  EXPECT_TRUE(store_->fire(fire_of(claim(0, 1000).schedules.at(0), 2000, {unique_job(2)})));
  EXPECT_FALSE(store_->find(job_id{2}));
}

TEST_P(store_contract, a_schedule_that_is_put_again_keeps_its_times_unless_its_timing_is_another) {
  store_->put_schedule(row("one", 900));
  auto again = row("one", 3000, "other");
  again.envelope = "another";
  store_->put_schedule(again);
  auto kept = store_->schedules().at(0);
  EXPECT_EQ(kept.next, at(900));
  EXPECT_EQ(kept.last, at(800));
  EXPECT_EQ(kept.envelope, "another");
  EXPECT_EQ(kept.queue, "other");
  again.timing = "@daily\nUTC";
  store_->put_schedule(again);
  kept = store_->schedules().at(0);
  EXPECT_EQ(kept.next, at(3000));
  EXPECT_EQ(kept.last, at(2900));
  EXPECT_EQ(kept.timing, "@daily\nUTC");
  EXPECT_EQ(store_->schedules().size(), 1U);
}

TEST_P(store_contract, a_schedule_that_is_put_again_after_a_clock_was_put_back_begins_anew) {
  constexpr std::int64_t minute = 60'000'000;
  store_->put_schedule(row("one", 2 * minute));
  store_->put_schedule(row("one", minute));
  EXPECT_EQ(store_->schedules().at(0).next, at(2 * minute)) << "a minute is nothing";
  store_->put_schedule(row("one", minute - 1));
  EXPECT_EQ(store_->schedules().at(0).next, at(minute - 1));
  EXPECT_EQ(store_->schedules().at(0).last, at(minute - 101));
}

TEST_P(store_contract, a_schedule_that_was_changed_is_not_fired_as_it_was) {
  store_->put_schedule(row("one", 900));
  const auto seen = claim(1, 1000).schedules.at(0);
  auto changed = row("one", 900);
  changed.envelope = "another";
  store_->put_schedule(changed);
  EXPECT_FALSE(store_->fire(fire_of(seen, 2000, {job(1)})));
  EXPECT_TRUE(store_->remove_schedule("one"));
  EXPECT_FALSE(store_->remove_schedule("one"));
  EXPECT_FALSE(store_->fire(fire_of(changed, 2000, {job(1)})));
  EXPECT_TRUE(store_->list({}).empty());
}

TEST_P(store_contract, a_paused_schedule_is_never_due_and_goes_on_with_new_times) {
  store_->put_schedule(row("one", 900));
  const auto seen = claim(1, 1000).schedules.at(0);
  EXPECT_TRUE(store_->pause_schedule("one"));
  EXPECT_FALSE(store_->fire(fire_of(seen, 2000, {job(1)})));
  EXPECT_TRUE(claim(1, 1000).schedules.empty());
  EXPECT_FALSE(claim(1, 1000).next_fire);
  store_->put_schedule(row("one", 900));
  EXPECT_TRUE(store_->schedules().at(0).paused) << "a program that starts again does not resume it";
  EXPECT_TRUE(store_->resume_schedule("one", at(5000), at(6000)));
  EXPECT_TRUE(store_->resume_schedule("one", at(7000), at(8000))) << "without effect";
  EXPECT_EQ(claim(1, 1000).next_fire, at(6000));
  EXPECT_EQ(store_->schedules().at(0).last, at(5000));
  EXPECT_FALSE(store_->pause_schedule("two"));
  EXPECT_FALSE(store_->resume_schedule("two", at(1), at(2)));
}

TEST_P(store_contract, the_bell_rings_for_a_new_schedule) {
  const auto seen = store_->bell();
  store_->put_schedule(row("one", 900));
  EXPECT_NE(store_->wait_bell(seen, deadline_after(std::chrono::seconds(30))), seen);
}

TEST_P(store_contract, of_many_who_fire_a_schedule_at_once_one_does) {
  store_->put_schedule(row("one", 900));
  const auto due = claim(1, 1000).schedules.at(0);
  std::vector<int> fired(4);
  std::vector<std::thread> all;
  for (int number = 0; number < 4; ++number) {
    all.emplace_back([&, number] { fired[number] = store_->fire(fire_of(due, 2000, {job(number + 1)})); });
  }
  for (auto& one : all) one.join();
  EXPECT_EQ(fired[0] + fired[1] + fired[2] + fired[3], 1);
  EXPECT_EQ(store_->list({}).size(), 1U);
}

}  // namespace weft::jobs
