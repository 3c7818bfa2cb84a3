#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/jobs/cron.hpp>
#include <weft/jobs/key_use.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/sink.hpp>

#include "jobs/jobs_fixture.hpp"
#include "jobs/moments.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;
using weft_test::at;
using weft_test::to_text;

/// When which job ran, and for which time.
struct runs {
  texts due;
  texts lines;
  event first;
  event holds;
};

closure<> write_down(std::string text = {}) {
  return closure{named_closure<"test.write_down">([](runs& into, control& job, std::string line) {
                   into.due.push_back(to_text(job.due()));
                   into.lines.push_back(line);
                   into.first.set();
                 }),
                 std::move(text)};
}

const cron hourly("@hourly");

class jobs_schedules : public jobs_fixture {
 protected:
  jobs_schedules() {
    app_.provide(runs_);
    go_to("2026-01-05 09:05:00");
  }
  void go_to(const std::string& text) { clock_.advance(at(text) - clock_.now()); }
  /// Lets workers look in steps until that time; returns the times of the jobs that ran.
  texts run_until(const std::string& end, std::chrono::microseconds step) {
    runs_.due.clear();
    while (clock_.now() < at(end)) {
      clock_.advance(step);
      run_due();
    }
    return runs_.due;
  }
  schedule_info only() { return queue_->schedules().at(0); }

  runs runs_;
};

TEST_F(jobs_schedules, push_a_job_at_each_time_that_is_due) {
  queue_->schedule("report", hourly, write_down("x"), {.priority = 3, .tags = {"mail"}});
  EXPECT_EQ(only().next, at("2026-01-05 10:00:00"));
  EXPECT_EQ(run_until("2026-01-05 12:30:00", 10min),
            (texts{"2026-01-05 10:00:00", "2026-01-05 11:00:00", "2026-01-05 12:00:00"}));
  EXPECT_EQ(runs_.lines.at(0), "x");
  const auto job = show(queue_->list()[0].id);
  EXPECT_EQ(job.tags, (texts{"mail", "schedule:report"}));
  EXPECT_EQ(job.priority, 3);
  EXPECT_EQ(job.state, job_state::done);
  const auto info = only();
  EXPECT_EQ(info.name, "report");
  EXPECT_EQ(info.cron, "@hourly");
  EXPECT_EQ(info.zone, "UTC");
  EXPECT_EQ(info.closure, "test.write_down(str)");
  EXPECT_EQ(info.next, at("2026-01-05 13:00:00"));
  EXPECT_EQ(info.problem, "");
}

TEST_F(jobs_schedules, make_up_for_three_hours_down_as_their_policy_says) {
  const auto times_of = [&](catch_up policy) {
    go_to("2026-01-05 09:05:00");
    queue_->schedule("report", hourly, write_down(), {.policy = policy});
    runs_.due.clear();
    go_to("2026-01-05 12:30:00");
    run_due({.concurrency = 1});
    go_to("2026-01-05 13:00:00");
    run_due();
    queue_->unschedule("report");
    return runs_.due;
  };
  EXPECT_EQ(times_of(catch_up::skip), texts{"2026-01-05 13:00:00"});
  tamper("DELETE FROM weft_unique");  // the same times again
  EXPECT_EQ(times_of(catch_up::one), (texts{"2026-01-05 12:00:00", "2026-01-05 13:00:00"}));
  tamper("DELETE FROM weft_unique");
  EXPECT_EQ(times_of(catch_up::all), (texts{"2026-01-05 10:00:00", "2026-01-05 11:00:00",
                                            "2026-01-05 12:00:00", "2026-01-05 13:00:00"}));
}

TEST_F(jobs_schedules, make_up_for_it_also_where_the_program_gives_them_again_at_its_start) {
  queue_->schedule("report", hourly, write_down("old"), {.policy = catch_up::all});
  go_to("2026-01-05 11:30:00");
  open();
  queue_->schedule("report", hourly, write_down("new"), {.policy = catch_up::all});
  run_due({.concurrency = 1});
  EXPECT_EQ(runs_.due, (texts{"2026-01-05 10:00:00", "2026-01-05 11:00:00"}));
  EXPECT_EQ(runs_.lines, (texts{"new", "new"})) << "changed in place";
  queue_->schedule("report", cron("30 * * * *"), write_down(), {.policy = catch_up::all});
  EXPECT_EQ(run_due(), 0U) << "a new timing begins now";
  EXPECT_EQ(only().next, at("2026-01-05 12:30:00"));
}

TEST_F(jobs_schedules, are_due_once_where_clocks_are_put_forward) {
  go_to("2026-03-28 12:00:00");
  queue_->schedule("backup", cron("30 2 * * *", time_zone("Europe/Berlin")), write_down());
  EXPECT_EQ(run_until("2026-03-30 12:00:00", 30min), (texts{"2026-03-29 01:00:00", "2026-03-30 00:30:00"}))
      << "03:00 of summer time, as there is no 02:30; then 02:30 of summer time";
}

TEST_F(jobs_schedules, are_due_once_where_clocks_are_put_back) {
  go_to("2026-10-24 12:00:00");
  queue_->schedule("backup", cron("30 2 * * *", time_zone("Europe/Berlin")), write_down());
  EXPECT_EQ(run_until("2026-10-26 12:00:00", 30min), (texts{"2026-10-25 00:30:00", "2026-10-26 01:30:00"}))
      << "the first 02:30, of summer time; then 02:30 of winter time";
}

TEST_F(jobs_schedules, do_nothing_twice_where_the_clock_of_the_machine_is_put_back) {
  queue_->schedule("report", hourly, write_down(), {.policy = catch_up::all});
  EXPECT_EQ(run_until("2026-01-05 11:30:00", 10min).size(), 2U);
  go_to("2026-01-05 09:30:00");
  EXPECT_EQ(run_until("2026-01-05 12:30:00", 10min), texts{"2026-01-05 12:00:00"});
}

TEST_F(jobs_schedules, go_on_when_they_are_given_again_after_a_clock_was_a_year_ahead) {
  queue_->schedule("report", hourly, write_down());
  go_to("2027-01-05 10:00:00");
  EXPECT_EQ(run_due(), 1U);
  runs_.due.clear();
  go_to("2026-01-05 09:30:00");
  EXPECT_TRUE(run_until("2026-01-05 10:30:00", 10min).empty());
  queue_->schedule("report", hourly, write_down());
  EXPECT_EQ(only().last, clock_.now());
  EXPECT_EQ(run_until("2026-01-05 12:30:00", 10min), (texts{"2026-01-05 11:00:00", "2026-01-05 12:00:00"}));
}

TEST_F(jobs_schedules, fire_each_time_once_with_many_workers_on_several_stores) {
  queue_options options;
  options.keys = keys_;
  options.clock = &clock_;
  queue second(database_->url(), options);
  queue_->schedule("report", cron("* * * * *"), write_down());
  run(
      [&] {
        worker one(*queue_, app_, quiet({}));
        worker other(*queue_, app_, quiet({}));
        worker far(second, app_, quiet({}));
        for (int minute = 0; minute < 20; ++minute) {
          clock_.advance(1min);
          auto first = go([&] { one.run_due(); });
          auto third = go([&] { far.run_due(); });
          other.run_due();
          first.join();
          third.join();
        }
      },
      with_room_for_sanitizers());
  EXPECT_EQ(runs_.due.size(), 20U);
  std::ranges::sort(runs_.due);
  EXPECT_EQ(std::ranges::adjacent_find(runs_.due), runs_.due.end());
}

TEST_F(jobs_schedules, wait_for_their_time_without_being_polled) {
  queue_options options;
  options.keys = keys_;
  queue now(database_->other_url(), options);  // by the wall clock
  run(
      [&] {
        worker one(now, app_, quiet({.poll_interval = 1h}));
        auto working = go([&] { one.run(); });
        now.schedule("tick", cron("* * * * * *"), write_down());
        runs_.first.wait();
        one.stop();
        working.join();
      },
      with_room_for_sanitizers());
  EXPECT_GE(runs_.due.size(), 1U);
}

TEST_F(jobs_schedules, are_not_kept_waiting_by_a_worker_that_is_full) {
  queue_options options;
  options.keys = keys_;
  queue now(database_->other_url(), options);
  now.push(closure{named_closure<"test.fills">([](runs& of) {
             of.first.set();
             of.holds.wait();
           })},
           {.priority = -1});
  run(
      [&] {
        worker one(now, app_, quiet({.concurrency = 1, .poll_interval = 20ms}));
        auto working = go([&] { one.run(); });
        runs_.first.wait();
        now.schedule("tick", cron("* * * * * *"), write_down());
        while (now.list({.queue = {}, .state = job_state::ready, .before = {}}).empty()) sleep_for(1ms);
        EXPECT_TRUE(runs_.due.empty());
        one.stop();
        runs_.holds.set();
        working.join();
      },
      with_room_for_sanitizers());
}

TEST_F(jobs_schedules, rest_while_they_are_paused_and_end_when_they_are_removed) {
  queue_->schedule("report", hourly, write_down(), {.policy = catch_up::all});
  EXPECT_TRUE(queue_->pause_schedule("report"));
  EXPECT_TRUE(run_until("2026-01-05 11:30:00", 10min).empty());
  EXPECT_TRUE(only().paused);
  EXPECT_TRUE(queue_->resume_schedule("report"));
  EXPECT_EQ(run_until("2026-01-05 12:30:00", 10min), texts{"2026-01-05 12:00:00"})
      << "nothing is made up for";
  EXPECT_TRUE(queue_->unschedule("report"));
  EXPECT_TRUE(run_until("2026-01-05 15:00:00", 10min).empty());
  EXPECT_FALSE(queue_->unschedule("report"));
  EXPECT_FALSE(queue_->pause_schedule("report"));
  EXPECT_FALSE(queue_->resume_schedule("report"));
}

TEST_F(jobs_schedules, push_a_job_now_and_keep_their_times) {
  queue_->schedule("report", hourly, write_down("line"));
  queue_->pause_schedule("report");
  const auto now = to_text(clock_.now());
  const auto id = queue_->fire_now("report");
  ASSERT_TRUE(id);
  EXPECT_NE(queue_->fire_now("report"), id) << "as often as it is said";
  run_due();
  EXPECT_EQ(runs_.due, (texts{now, now}));
  EXPECT_EQ(runs_.lines, (texts{"line", "line"}));
  EXPECT_EQ(to_text(only().next), "2026-01-05 10:00:00");
  EXPECT_TRUE(only().paused);
  EXPECT_EQ(queue_->fire_now("repotr"), std::nullopt);
}

TEST_F(jobs_schedules, that_are_forged_push_nothing_and_are_shown_as_broken) {
  const auto fires = [&] { return run_until(to_text(clock_.now() + 1h), 10min).size(); };
  queue_->schedule("good", hourly, write_down());
  queue_->schedule("other", hourly, write_down());
  testing::internal::CaptureStderr();
  tamper(
      "UPDATE weft_schedule SET envelope = (SELECT envelope FROM weft_schedule WHERE name = 'good')"
      " WHERE name = 'other'");
  EXPECT_EQ(fires(), 1U) << "only the good one";
  auto all = queue_->schedules();
  EXPECT_EQ(all.at(0).problem, "");
  EXPECT_NE(all.at(1).problem.find("copied or changed"), std::string::npos) << all.at(1).problem;
  tamper(
      "UPDATE weft_schedule SET envelope = substr(envelope, 1, length(envelope) - 1) WHERE name = 'other'");
  EXPECT_EQ(fires(), 1U);
  EXPECT_NE(queue_->schedules().at(1).problem, "");
  tamper("UPDATE weft_schedule SET queue = 99 WHERE name = 'good'");
  tamper("DELETE FROM weft_schedule WHERE name = 'other'");
  EXPECT_EQ(fires(), 0U);
  EXPECT_NE(only().problem, "");
  (void)testing::internal::GetCapturedStderr();
}

TEST_F(jobs_schedules, that_are_set_back_by_somebody_do_not_push_their_jobs_again) {
  queue_->schedule("report", hourly, write_down(), {.policy = catch_up::all});
  EXPECT_EQ(run_until("2026-01-05 11:30:00", 10min).size(), 2U);
  tamper("UPDATE weft_schedule SET last = last - 14400000000, next = next - 14400000000");
  EXPECT_EQ(run_until("2026-01-05 11:40:00", 10min), (texts{"2026-01-05 08:00:00", "2026-01-05 09:00:00"}))
      << "times at which it was not there yet";
}

TEST_F(jobs_schedules, need_the_key_that_signed_them) {
  queue_->schedule("report", hourly, write_down());
  const auto uses = keys_in_use(queue_->kept_in());
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].id, "k1");
  EXPECT_EQ(uses[0].waiting, 1);
}

TEST_F(jobs_schedules, of_another_tenant_push_nothing) {
  queue_->schedule("report", hourly, write_down());
  open({.tenant = "acme"});
  testing::internal::CaptureStderr();
  EXPECT_TRUE(run_until("2026-01-05 11:30:00", 10min).empty());
  (void)testing::internal::GetCapturedStderr();
  EXPECT_NE(only().problem, "");
}

TEST_F(jobs_schedules, that_one_worker_cannot_read_are_left_in_time_to_those_who_can) {
  const auto own = keys_;
  queue_->schedule("report", hourly, write_down());
  const auto look_in_vain = [&] {
    go_to("2026-01-05 10:00:10");
    testing::internal::CaptureStderr();
    EXPECT_EQ(run_due(), 0U);
    EXPECT_TRUE(log::flush(10s));
    EXPECT_NE(testing::internal::GetCapturedStderr().find("left to others"), std::string::npos);
    EXPECT_EQ(only().next, at("2026-01-05 10:00:00")) << "it wrote nothing";
  };
  open({.tenant = "acme"});
  look_in_vain();
  keys_ = std::make_shared<wire::key_ring>(wire::key::generate("k2"));
  open();
  look_in_vain();
  keys_ = own;
  open();
  go_to("2026-01-05 10:00:30");
  run_due();
  EXPECT_EQ(runs_.due, texts{"2026-01-05 10:00:00"}) << "with the policy skip";
}

TEST_F(jobs_schedules, that_a_worker_cannot_read_are_tried_again_by_it_each_minute) {
  queue_->schedule("report", hourly, write_down());
  keys_ = std::make_shared<wire::key_ring>(wire::key::generate("k2"));
  open();
  go_to("2026-01-05 10:00:10");
  run(
      [&] {
        worker one(*queue_, app_, quiet({}));
        const auto says = [&] {
          log::collector said;
          one.run_due();
          const auto records = said.take();
          return std::any_of(records.begin(), records.end(), [](const log::record& each) {
            return each.message.find("left to others") != std::string::npos;
          });
        };
        EXPECT_TRUE(says());
        clock_.advance(59s);
        EXPECT_FALSE(says());
        clock_.advance(1s);
        EXPECT_TRUE(says());
        queue_->schedule("report", hourly, write_down(), {.policy = catch_up::one});
        one.run_due();
        EXPECT_EQ(runs_.due, texts{"2026-01-05 10:00:00"}) << "given anew it is another one";
      },
      with_room_for_sanitizers());
}

TEST_F(jobs_schedules, are_refused_where_a_push_of_their_jobs_would_be) {
  EXPECT_THROW(queue_->schedule("", hourly, write_down()), error);
  EXPECT_THROW(queue_->schedule(std::string(56, 'x'), hourly, write_down()), error);
  EXPECT_THROW(queue_->schedule("x", hourly, write_down(), {.priority = 40000}), error);
  EXPECT_THROW(queue_->schedule("x", hourly, write_down(), {.tags = {""}}), error);
  EXPECT_THROW(queue_->schedule("x", hourly, write_down(), {.bounds = {.fires_max = 0}}), error);
  const auto longest = std::chrono::microseconds::max();
  EXPECT_THROW(queue_->schedule("x", hourly, write_down(), {.bounds = {.late_max = -1s}}), error);
  EXPECT_THROW(queue_->schedule("x", hourly, write_down(), {.bounds = {.age_max = longest}}), error);
  EXPECT_TRUE(queue_->schedules().empty());
}

}  // namespace
}  // namespace weft::jobs
