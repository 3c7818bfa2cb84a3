#include "jobs/jobs_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>

// What queue and control offer beside the plain life of a job.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

struct seen_progress {
  std::vector<std::optional<job_progress>> shown;
  event started;
  int at_once = 0;
  int most_at_once = 0;
  std::vector<std::string> lines;
};

closure<> nothing(int number = 0) {
  return closure{named_closure<"test.nothing">([](int) {}), number};
}
closure<std::string> greet(std::string name) {
  return closure{named_closure<"test.greet">([](std::string whom) { return "hello " + whom; }),
                 std::move(name)};
}

class jobs_features : public jobs_fixture {
 protected:
  jobs_features() {
    app_.provide(*queue_);
    app_.provide(progress_);
  }

  seen_progress progress_;
};

TEST_F(jobs_features, a_unique_job_is_pushed_once_for_its_arguments) {
  const push_options once{.unique = unique_options{}};
  const auto first = queue_->push(nothing(1), once);
  EXPECT_EQ(queue_->push(nothing(1), once), first);
  EXPECT_NE(queue_->push(nothing(2), once), first);
  EXPECT_NE(queue_->push(greet("1"), once), first) << "of another closure";
  EXPECT_NE(queue_->push(nothing(1), {.queue = "other", .unique = unique_options{}}), first);
  EXPECT_EQ(run_due(), 3U);
  EXPECT_NE(queue_->push(nothing(1), once), first) << "it has ended";
}

TEST_F(jobs_features, a_unique_key_is_one_whatever_the_arguments_and_may_hold_for_a_period) {
  const push_options hourly{.unique = unique_options{.key = "report", .period = 1h}};
  const auto first = queue_->push(nothing(1), hourly);
  EXPECT_EQ(queue_->push(nothing(2), hourly), first);
  EXPECT_EQ(run_due(), 1U);
  clock_.advance(59min);
  EXPECT_EQ(queue_->push(nothing(3), hourly), first);
  clock_.advance(1min);
  EXPECT_NE(queue_->push(nothing(3), hourly), first);
}

TEST_F(jobs_features, a_unique_job_in_a_transaction_is_the_one_that_is_there) {
  const push_options once{.unique = unique_options{}};
  const auto first = queue_->push(nothing(1), once);
  EXPECT_EQ(queue_->transact([&](transaction& inside) { return inside.push(nothing(1), once); }), first);
}

TEST_F(jobs_features, a_unique_key_that_is_too_long_is_refused) {
  try {
    queue_->push(greet(std::string(5000, 'x')), {.unique = unique_options{}});
    FAIL() << "it was taken";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::too_large);
  }
}

struct visitor {
  static constexpr auto weft_scope = service_scope::per_request;
  std::string name;
};

TEST_F(jobs_features, a_closure_that_asks_for_a_service_of_a_request_is_refused_wherever_it_would_be_a_job) {
  const closure greets{named_closure<"test.greets">([](visitor&) {})};
  const closure plain{named_closure<"test.plain">([] {})};
  const auto refusal = [](const auto& body) {
    try {
      body();
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::invalid_argument);
      return refused.message();
    }
    return std::string("it was taken");
  };
  visitor ann{"ann"};
  services request(app_, service_scope::per_request);
  request.provide(ann);
  const auto said = refusal([&] { queue_->push(greets); });
  EXPECT_NE(said.find("visitor, which is per_request"), std::string::npos) << said;
  EXPECT_NE(said.find("\"test.greets()\""), std::string::npos) << said;
  EXPECT_EQ(refusal([&] { queue_->push_many(std::vector{plain, greets}); }), said);
  EXPECT_EQ(refusal([&] { queue_->push_batch(std::vector{plain}, greets); }), said);
  EXPECT_EQ(refusal([&] { queue_->run_or_push(greets, request); }), said) << "it could not go on in a worker";
  EXPECT_EQ(refusal([&] { queue_->schedule("nightly", cron("0 0 * * *", time_zone("UTC")), greets); }), said);
  EXPECT_EQ(refusal([&] { queue_->transact([&](transaction& in) { in.push(greets); }); }), said);
  EXPECT_TRUE(queue_->stats().empty());
}

TEST_F(jobs_features, a_paused_queue_goes_on_when_it_is_resumed) {
  const auto id = queue_->push(nothing());
  queue_->pause();
  EXPECT_EQ(run_due(), 0U);
  EXPECT_TRUE(queue_->stats().at(0).paused);
  queue_->resume();
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(show(id).state, job_state::done);
}

TEST_F(jobs_features, a_worker_that_waits_hears_of_a_resumed_queue) {
  queue_->pause();
  queue_->push(closure{named_closure<"test.signal">([](seen_progress& into) { into.started.set(); })});
  run([&] {
    worker one(*queue_, app_, quiet({.poll_interval = 1h}));
    auto working = go([&] { one.run(); });
    queue_->resume();
    progress_.started.wait();
    one.stop();
    working.join();
  });
}

TEST_F(jobs_features, a_result_is_there_once_the_job_is_done_and_is_that_of_this_job) {
  const auto id = queue_->push(greet("Ada"));
  const auto other = queue_->push(greet("Bob"));
  EXPECT_FALSE(queue_->result<std::string>(id));
  EXPECT_EQ(run_due(), 2U);
  EXPECT_EQ(queue_->result<std::string>(id), "hello Ada");
  EXPECT_THROW(queue_->result<int>(id), error) << "of another type";
  const auto put_other = [&](const std::string& table, const std::string& result, const std::string& of) {
    tamper("UPDATE " + table + " SET " + result + " = (SELECT " + result + " FROM " + table + " WHERE " + of +
           " = " + to_string(other) + ") WHERE " + of + " = " + to_string(id));
  };
  test_database::is_postgres() ? put_other("weft_done", "result", "id")
                               : put_other("weft_result", "value", "job");
  try {
    queue_->result<std::string>(id);
    FAIL() << "another job's result";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::bad_signature);
  }
}

TEST_F(jobs_features, a_job_without_a_result_has_none) {
  const auto id = queue_->push(nothing());
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(show(id).state, job_state::done);
  EXPECT_FALSE(queue_->result_json(id));
}

TEST_F(jobs_features, a_running_job_shows_its_progress) {
  const auto id =
      queue_->push(closure{named_closure<"test.progress">([](control& job, queue& of, seen_progress& into) {
        job.progress(1, 3, "one");
        into.shown.push_back(of.show(job.id())->progress);
        job.progress(3, 3, "all");
        into.shown.push_back(of.show(job.id())->progress);
      })});
  EXPECT_EQ(run_due(), 1U);
  ASSERT_EQ(progress_.shown.size(), 2U);
  EXPECT_EQ(progress_.shown[0], (job_progress{1, 3, "one"}));
  EXPECT_EQ(progress_.shown[1], (job_progress{3, 3, "all"}));
  EXPECT_FALSE(show(id).progress);
}

TEST_F(jobs_features, a_worker_runs_as_many_jobs_of_a_limit_at_a_time_as_it_says) {
  const auto one_at_a_time = [](std::string key) {
    return push_options{.limit = limit_options{std::move(key), 1}};
  };
  for (int number = 0; number < 5; ++number) {
    queue_->push(closure{named_closure<"test.limited">([](seen_progress& into) {
                   into.most_at_once = std::max(into.most_at_once, ++into.at_once);
                   yield();
                   --into.at_once;
                 })},
                 one_at_a_time("tenant 7"));
  }
  const auto limited = queue_->list();
  EXPECT_EQ(show(limited.front().id).limit, "tenant 7");
  EXPECT_EQ(run_due(), 5U);
  EXPECT_EQ(progress_.most_at_once, 1);
  EXPECT_THROW(queue_->push(nothing(), one_at_a_time("")), error);
  EXPECT_THROW(queue_->push(nothing(), one_at_a_time(std::string(257, 'x'))), error);
  EXPECT_THROW(queue_->push(nothing(), {.limit = limit_options{"key", 0}}), error);
  using namespace std::chrono_literals;
  for (const rate_options& wrong : {rate_options{-1, 1s}, rate_options{1, 0s}, rate_options{1, 24h * 367},
                                    rate_options{1, 1s, -1}, rate_options{1, 24h * 366, 100}}) {
    EXPECT_THROW(queue_->push(nothing(), {.limit = limit_options{"key", 1, wrong}}), error);
  }
}

TEST_F(jobs_features, a_batch_has_a_last_job_that_runs_when_all_others_have_ended) {
  const auto line = [](std::string text) {
    return closure{named_closure<"test.line">([](seen_progress& into, std::string what) {
                     into.lines.push_back(what);
                     if (what == "fails") throw error(errc::unavailable, "no seat");
                   }),
                   std::move(text)};
  };
  const auto batch =
      queue_->push_many(std::vector<closure<>>{line("one"), line("fails")}, {.max_attempts = 1});
  const auto last = queue_->push(line("last"), {.priority = -1, .after_end = batch});
  const auto only_if_done = queue_->push(line("never"), {.after = batch});
  EXPECT_EQ(show(last).waits_for, batch);
  EXPECT_EQ(run_due(), 3U);
  EXPECT_EQ(progress_.lines, (std::vector<std::string>{"one", "fails", "last"}));
  EXPECT_EQ(show(only_if_done).state, job_state::blocked);
  EXPECT_EQ(show(only_if_done).waits_for, std::vector<job_id>{batch[1]});
}

TEST_F(jobs_features, jobs_are_listed_by_tag_and_odd_tags_are_refused) {
  const auto id = queue_->push(nothing(), {.tags = {"order:7"}});
  queue_->push(nothing());
  const auto listed = queue_->list({.queue = {}, .tag = "order:7", .state = {}, .before = {}});
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].id, id);
  EXPECT_EQ(show(id).tags, std::vector<std::string>{"order:7"});
  EXPECT_THROW(queue_->push(nothing(), {.tags = {""}}), error);
  EXPECT_THROW(queue_->push(nothing(), {.tags = {std::string(65, 'x')}}), error);
  EXPECT_THROW(queue_->push(nothing(), {.tags = std::vector<std::string>(17, "x")}), error);
}

}  // namespace
}  // namespace weft::jobs
