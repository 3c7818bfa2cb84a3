#include "cli/jobs_change.hpp"
#include "cli/jobs_view.hpp"
#include "cli/jobs_watch.hpp"
#include "cli/time_text.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include <weft/closure/closure.hpp>
#include <weft/config/units.hpp>
#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

#include "cli/jobs_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using weft::cli::change_report;
using weft::cli::shown_details;
using weft::cli::shown_list;
using weft::cli::shown_stats;
using weft::jobs::job_id;
using weft::jobs::job_state;
using weft::wire::from_json;

class weft_jobs : public weft_test::jobs_commands {
 protected:
  job_id push(const weft::jobs::push_options& options = {}) {
    return queue().push(weft::closure{weft::named_closure<"cli.fine">([](int n) { return n * 2; }), 21},
                        options);
  }
  job_id push_failing(weft::jobs::push_options options = {}) {
    options.max_attempts = 1;
    return queue().push(weft::closure{weft::named_closure<"cli.fails">([] {
                          weft::log::info("before the \x1b[31mend");
                          throw weft::error(weft::errc::unavailable, "no\x1b[2J mail\ntoday");
                        })},
                        options);
  }
  job_state state_of(job_id id) { return queue().show(id).value().state; }
};

std::string text(job_id id) { return to_string(id); }

bool has(const std::string& in, const std::string& what) { return in.find(what) != std::string::npos; }

TEST_F(weft_jobs, are_listed_newest_first_by_state_queue_and_tag) {
  const auto one = push({.tags = {"first"}});
  const auto two = push({.delay = 1h, .tags = {"second"}});
  const auto three = push({.queue = "other"});
  const auto all = from_json<shown_list>(jobs("list", {"--json"}).out);
  ASSERT_EQ(all.jobs.size(), 3U);
  EXPECT_EQ(all.schema, 1);
  EXPECT_EQ(all.jobs[0].id, text(three));
  EXPECT_EQ(all.jobs[2].id, text(one));
  EXPECT_FALSE(all.next);
  EXPECT_EQ(all.jobs[1].state, "scheduled");
  EXPECT_EQ(all.jobs[1].tags, std::vector<std::string>{"second"});

  const auto listed = [&](std::vector<std::string> filter) {
    filter.emplace_back("--json");
    const auto shown = from_json<shown_list>(jobs("list", filter).out).jobs;
    return shown.size() == 1 ? shown[0].id : std::to_string(shown.size()) + " jobs";
  };
  EXPECT_EQ(listed({"--state", "scheduled"}), text(two));
  EXPECT_EQ(listed({"--queue=other"}), text(three));
  EXPECT_EQ(listed({"--tag", "first"}), text(one));
  EXPECT_EQ(listed({"--before", text(two)}), text(one));

  const auto shown = jobs("list");
  EXPECT_EQ(shown.status, 0);
  EXPECT_TRUE(has(shown.out, "cli.fine")) << shown.out;
  EXPECT_TRUE(has(shown.out, "second")) << shown.out;
  EXPECT_TRUE(has(shown.out, "in 59m")) << shown.out;
}

TEST_F(weft_jobs, are_listed_in_pages_that_lead_to_all_of_them) {
  for (int i = 0; i < 5; ++i) push();
  std::size_t seen = 0;
  std::vector<std::string> before;
  for (;;) {
    std::vector<std::string> rest{"--json", "--limit", "2"};
    rest.insert(rest.end(), before.begin(), before.end());
    const auto page = from_json<shown_list>(jobs("list", rest).out);
    seen += page.jobs.size();
    if (!page.next) break;
    before = {"--before", *page.next};
  }
  EXPECT_EQ(seen, 5U);
}

TEST_F(weft_jobs, are_shown_with_attempts_errors_and_logs_without_keys) {
  const auto id = push_failing();
  run_due();
  const auto shown = jobs("show", {text(id)});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_TRUE(has(shown.out, "dead")) << shown.out;
  EXPECT_TRUE(has(shown.out, "no\\x1b[2J mail\\ntoday (unavailable)")) << shown.out;
  EXPECT_TRUE(has(shown.out, "before the \\x1b[31mend")) << shown.out;
  EXPECT_FALSE(has(shown.out, "\x1b")) << "what others wrote drives no terminal";
  EXPECT_TRUE(has(shown.out, "It was given up after 1 failed attempt")) << shown.out;

  const auto json = from_json<shown_details>(jobs("show", {text(id), "--json"}).out);
  EXPECT_EQ(json.job.state, "dead");
  EXPECT_FALSE(json.job.attempts_max);
  EXPECT_EQ(json.why.size(), 1U);
  ASSERT_EQ(json.attempts.size(), 1U);
  EXPECT_EQ(json.attempts[0].outcome, "failed");
  EXPECT_EQ(*json.attempts[0].error.if_object()->find("message")->if_text(), "no\x1b[2J mail\ntoday");
  EXPECT_TRUE(json.attempts[0].log.if_object() != nullptr);
}

TEST_F(weft_jobs, are_shown_with_what_is_signed_where_there_are_keys) {
  const auto id = push();
  run_due();
  const auto json = from_json<shown_details>(jobs("show", {text(id), "--json", "--keys", keys_}).out);
  EXPECT_EQ(json.job.arguments.if_list()->size(), 1U);
  EXPECT_EQ(json.job.attempts_max, 10);
  EXPECT_TRUE(has(json.job.source.value(), "jobs_test.cpp"));
  EXPECT_EQ(*json.result.if_integer(), 42);
  EXPECT_FALSE(json.job.problem);

  weft::wire::key_ring(weft::wire::key::generate("else")).save(folder_ / "others");
  const auto other = jobs("show", {text(id), "--keys", folder_ / "others"});
  EXPECT_EQ(other.status, 0);
  EXPECT_TRUE(has(other.out, "problem")) << other.out;
}

TEST_F(weft_jobs, that_wait_say_for_what) {
  const auto first = push({.delay = 1h});
  const auto second = push({.after = {first}});
  EXPECT_TRUE(has(jobs("show", {text(second)}).out, "waits for  " + text(first)));
  const auto json = from_json<shown_details>(jobs("show", {text(second), "--json"}).out);
  EXPECT_EQ(json.waits_for, std::vector<std::string>{text(first)});
}

TEST_F(weft_jobs, are_counted_by_queue_and_state) {
  push();
  push({.delay = 1h});
  push({.queue = "other"});
  EXPECT_EQ(jobs("pause", {"other"}).status, 0);
  const auto stats = from_json<shown_stats>(jobs("stats", {"--json"}).out);
  ASSERT_EQ(stats.queues.size(), 2U);
  EXPECT_EQ(stats.queues[0].queue, "mail");
  EXPECT_EQ(stats.queues[0].ready, 1);
  EXPECT_EQ(stats.queues[0].scheduled, 1);
  EXPECT_TRUE(stats.queues[1].paused);
  EXPECT_TRUE(has(jobs("stats").out, "paused"));
  EXPECT_EQ(jobs("resume", {"other"}).status, 0);
  EXPECT_FALSE(has(jobs("stats").out, "paused"));
}

TEST_F(weft_jobs, are_watched_as_lines_of_json_where_there_is_no_terminal) {
  push();
  push({.queue = "other"});
  const auto done = jobs("watch", {"--count", "2", "--interval", "1ms", "--queue", "mail"});
  EXPECT_EQ(done.status, 0) << done.err;
  std::istringstream lines(done.out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto read = from_json<weft::cli::watched_counts>(line);
    ASSERT_EQ(read.queues.size(), 1U) << line;
    EXPECT_EQ(read.queues[0].ready, 1);
  }
  EXPECT_EQ(count, 2);
}

TEST_F(weft_jobs, are_retried_by_id) {
  const auto dead = push_failing();
  run_due();
  const auto waiting = push();
  EXPECT_EQ(jobs("retry", {text(dead)}).status, 0);
  EXPECT_EQ(state_of(dead), job_state::ready);
  const auto unfit = jobs("retry", {text(waiting)});
  EXPECT_EQ(unfit.status, 1);
  EXPECT_TRUE(has(unfit.err, "it is ready")) << unfit.err;
  const auto missing = jobs("retry", {"7"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_TRUE(has(missing.err, "no such job")) << missing.err;
}

TEST_F(weft_jobs, are_retried_by_filter_after_a_dry_run) {
  for (int i = 0; i < 3; ++i) push_failing({.tags = {"bulk"}});
  const auto other = push_failing();
  run_due();
  const auto dry = from_json<change_report>(jobs("retry", {"--tag", "bulk", "-n", "--json"}).out);
  EXPECT_EQ(dry.matched, 3);
  EXPECT_EQ(dry.changed, 0);
  EXPECT_TRUE(dry.dry_run);
  EXPECT_EQ(queue().stats()[0].dead, 4) << "a dry run changes nothing";
  const auto done = from_json<change_report>(jobs("retry", {"--tag", "bulk", "--yes", "--json"}).out);
  EXPECT_EQ(done.changed, 3);
  EXPECT_EQ(state_of(other), job_state::dead);
  EXPECT_EQ(jobs("retry", {"--tag", "bulk", "--yes"}).status, 1) << "nothing matched";
  EXPECT_EQ(jobs("retry", {"--all", "--yes"}).status, 0);
  EXPECT_EQ(state_of(other), job_state::ready);
}

TEST_F(weft_jobs, are_cancelled_by_id_and_by_filter) {
  const auto one = push();
  const auto two = push({.delay = 1h});
  const auto three = push({.queue = "other"});
  EXPECT_EQ(jobs("cancel", {text(one)}).status, 0);
  EXPECT_EQ(state_of(one), job_state::cancelled);
  EXPECT_EQ(jobs("cancel", {text(one)}).status, 1) << "it has ended";
  EXPECT_EQ(jobs("cancel", {"--queue", "mail", "--yes"}).status, 0);
  EXPECT_EQ(state_of(two), job_state::cancelled);
  EXPECT_EQ(state_of(three), job_state::ready);
}

TEST_F(weft_jobs, in_large_numbers_are_changed_to_the_last) {
  queue().push_many(std::vector<weft::closure<int>>(
      1200, weft::closure{weft::named_closure<"cli.many">([](int n) { return n; }), 1}));
  const auto done = from_json<change_report>(jobs("cancel", {"--all", "-y", "--json"}).out);
  EXPECT_EQ(done.changed, 1200);
  EXPECT_EQ(queue().stats()[0].cancelled, 1200);
}

TEST_F(weft_jobs, are_not_changed_in_numbers_without_a_word_or_a_terminal) {
  const auto id = push();
  const auto refused = jobs("cancel", {"--all"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_TRUE(has(refused.err, "--yes")) << refused.err;
  EXPECT_EQ(state_of(id), job_state::ready);
  EXPECT_EQ(jobs("cancel").status, 2) << "neither ids nor a filter";
  EXPECT_EQ(jobs("cancel", {text(id), "--all", "-y"}).status, 2) << "both";
  EXPECT_EQ(state_of(id), job_state::ready);
}

TEST_F(weft_jobs, are_deleted_by_id_and_by_filter_once_that_is_confirmed) {
  const auto dead = push_failing();
  run_due();
  const auto waiting = push();
  const auto other = push({.queue = "other"});
  EXPECT_EQ(jobs("delete", {text(dead)}).status, 2) << "nobody can be asked";
  EXPECT_EQ(jobs("delete", {text(dead), "--dry-run"}).out, "1 job would be deleted\n");
  EXPECT_TRUE(queue().show(dead));
  EXPECT_EQ(jobs("delete", {text(dead), "--yes"}).out, "1 job deleted\n");
  EXPECT_FALSE(queue().show(dead));
  const auto missing = jobs("delete", {text(dead), "-y"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_TRUE(has(missing.err, "no such job")) << missing.err;
  EXPECT_EQ(jobs("delete", {"--all", "-y"}).status, 1) << "those that wait are not meant";
  const auto done =
      from_json<change_report>(jobs("delete", {"--state", "ready", "--queue", "mail", "-y", "--json"}).out);
  EXPECT_EQ(done.changed, 1);
  EXPECT_FALSE(queue().show(waiting));
  EXPECT_EQ(state_of(other), job_state::ready);
}

TEST_F(weft_jobs, that_run_are_not_deleted) {
  const auto id = push();
  const auto store = weft::jobs::open_store(url());
  store->add_worker({.id = weft::jobs::worker_id{1}, .host = "h", .pid = 1, .build = "b"});
  weft::jobs::claim_request request;
  request.owner = weft::jobs::worker_id{1};
  request.queues = {"mail"};
  request.now = store->clock().now();
  ASSERT_EQ(store->claim(request).jobs.size(), 1U);
  const auto refused = jobs("delete", {text(id), "--yes"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(has(refused.err, "it is running: cancel it, and delete it once it has ended")) << refused.err;
  EXPECT_EQ(state_of(id), job_state::running);
}

TEST_F(weft_jobs, that_ended_long_ago_are_deleted) {
  const auto id = push_failing();
  run_due();
  EXPECT_EQ(jobs("purge", {"--older-than", "1h", "--yes"}).status, 1) << "it ended just now";
  EXPECT_EQ(jobs("purge", {"--older-than", "0s", "--dry-run"}).out, "1 job would be deleted\n");
  EXPECT_EQ(state_of(id), job_state::dead);
  EXPECT_EQ(jobs("purge", {"--older-than", "0s"}).status, 2) << "nobody can be asked";
  EXPECT_EQ(jobs("purge", {"--older-than", "0s", "--yes"}).status, 0);
  EXPECT_FALSE(queue().show(id));
}

TEST_F(weft_jobs, commands_make_no_database_of_a_mistyped_path) {
  for (const auto& rest : std::vector<std::vector<std::string>>{{"list"},
                                                                {"show", "1"},
                                                                {"stats"},
                                                                {"retry", "1"},
                                                                {"cancel", "1"},
                                                                {"pause", "q"},
                                                                {"resume", "q"}}) {
    const auto done = jobs(rest[0], {rest.begin() + 1, rest.end()});
    EXPECT_EQ(done.status, 1) << rest[0];
    EXPECT_TRUE(has(done.err, "does not exist")) << done.err;
  }
  EXPECT_EQ(jobs("purge", {"--older-than", "1d", "-y"}).status, 1);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(weft_jobs, of_a_mistyped_queue_are_not_there_and_that_is_said) {
  push();
  const auto listed = jobs("list", {"--queue", "mial"});
  EXPECT_EQ(listed.status, 0);
  EXPECT_EQ(listed.err, "weft jobs list: there are no jobs of a queue \"mial\"; did you mean mail?\n");
  EXPECT_EQ(jobs("list", {"--queue", "mail", "--state", "dead"}).err, "") << "there are others";
  const auto paused = jobs("pause", {"mail", "other"});
  EXPECT_EQ(paused.status, 0) << "it may come";
  EXPECT_EQ(paused.err, "weft jobs pause: there are no jobs of a queue \"other\"\n");
}

TEST_F(weft_jobs, commands_name_a_file_that_is_no_database) {
  const auto other = folder_ / "notes";
  std::ofstream(other) << "these are a few words and no database at all, and long enough for its header\n";
  const auto done = weft_test::run_weft({"jobs", "list", "--db", "sqlite:" + other});
  EXPECT_EQ(done.status, 1);
  EXPECT_TRUE(has(done.err, "weft jobs list: jobs: open the database \"" + other +
                                "\": look for tables: file is not a database"))
      << done.err;
}

TEST_F(weft_jobs, commands_say_that_their_output_cannot_be_written) {
  push();
  std::fflush(stdout);
  const int kept = ::dup(STDOUT_FILENO);
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  testing::internal::CaptureStderr();
  ::dup2(full, STDOUT_FILENO);
  std::vector<std::string> words{"weft", "jobs", "list", "--db", url()};
  std::vector<char*> argv;
  for (auto& one : words) argv.push_back(one.data());
  EXPECT_EQ(weft::cli::main(static_cast<int>(argv.size()), argv.data()), 1);
  ::dup2(kept, STDOUT_FILENO);
  ::close(full);
  ::close(kept);
  std::clearerr(stdout);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "weft jobs list: write its output: No space left on device\n");
}

TEST_F(weft_jobs, commands_that_make_no_sense_are_wrong_usage) {
  push();
  EXPECT_EQ(jobs("list", {"--state", "lost"}).status, 2);
  EXPECT_EQ(jobs("list", {"--before", "x"}).status, 2);
  EXPECT_EQ(jobs("list", {"--limit", "0"}).status, 2);
  EXPECT_EQ(jobs("show").status, 2);
  EXPECT_EQ(jobs("show", {"1", "2"}).status, 2);
  EXPECT_EQ(jobs("pause").status, 2);
  EXPECT_EQ(jobs("purge", {"-y"}).status, 2);
  EXPECT_EQ(jobs("purge", {"--older-than", "soon"}).status, 2);
  EXPECT_EQ(weft_test::run_weft({"jobs"}).status, 2);
  EXPECT_EQ(weft_test::run_weft({"jobs", "list"}).status, 2) << "no database";
  EXPECT_EQ(jobs("show", {"9"}).status, 1) << "no such job";
}

TEST_F(weft_jobs, database_may_be_named_by_the_environment) {
  push();
  ASSERT_EQ(setenv("WEFT_DB", url().c_str(), 1), 0);
  const auto listed = weft_test::run_weft({"jobs", "list", "--json"});
  unsetenv("WEFT_DB");
  EXPECT_EQ(from_json<shown_list>(listed.out).jobs.size(), 1U) << listed.err;
}

TEST(time_text, reads_spans_and_refuses_what_is_none) {
  using weft::config::duration_from_text;
  EXPECT_EQ(duration_from_text("90"), 90s);
  EXPECT_EQ(duration_from_text("1h30m"), 90min);
  EXPECT_EQ(duration_from_text("500ms"), 500ms);
  EXPECT_EQ(duration_from_text("7d"), std::chrono::days(7));
  EXPECT_EQ(duration_from_text("2m"), 2min);
  for (const auto* bad : {"", "-1", "h", "1h30", "1x", "1 h", "99999999999999999999", "1000000d"})
    EXPECT_FALSE(duration_from_text(bad)) << bad;
  EXPECT_EQ(weft::cli::time_text(weft::jobs::moment(1'700'000'000'000'001us)), "2023-11-14T22:13:20.000001Z");
}

}  // namespace
