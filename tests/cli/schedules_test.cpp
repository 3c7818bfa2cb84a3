#include "cli/schedules.hpp"

#include <algorithm>
#include <chrono>

#include "cli/jobs_fixture.hpp"
#include "cli/schedules_view.hpp"

namespace {

using namespace std::chrono_literals;
using weft::cli::shown_schedule;
using weft::cli::shown_schedule_details;
using weft::cli::shown_schedules;
using weft::wire::from_json;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class weft_schedules : public weft_test::jobs_commands {
 protected:
  weft_test::command_outcome schedules(const std::string& name, std::vector<std::string> rest = {}) {
    return command("schedules", name, std::move(rest));
  }
  weft_test::command_outcome add(const std::string& name, std::vector<std::string> options = {},
                                 std::vector<std::string> program = {"backup", "--all", "/srv"}) {
    options.insert(options.begin(), {name, "--keys", keys_, "--cron", "30 2 * * *", "--exec"});
    options.emplace_back("--");
    options.insert(options.end(), program.begin(), program.end());
    return schedules("add", std::move(options));
  }
  shown_schedule_details show(const std::string& name, std::vector<std::string> rest = {}) {
    rest.insert(rest.begin(), {name, "--json"});
    const auto done = schedules("show", std::move(rest));
    EXPECT_EQ(done.status, 0) << done.err;
    return from_json<shown_schedule_details>(done.out);
  }
};

TEST_F(weft_schedules, are_added_and_shown) {
  const auto added = add("backup", {"--zone", "Europe/Berlin", "--catch-up", "skip", "--queue", "night"});
  ASSERT_EQ(added.status, 0) << added.err;
  EXPECT_EQ(added.out, "");
  const auto without_keys = show("backup");
  EXPECT_EQ(without_keys.schedule.cron, "30 2 * * *");
  EXPECT_EQ(without_keys.schedule.zone, "Europe/Berlin");
  EXPECT_EQ(without_keys.schedule.queue, "night");
  EXPECT_FALSE(without_keys.schedule.catch_up);
  ASSERT_EQ(without_keys.times.size(), 3U);
  EXPECT_EQ(without_keys.times[0], without_keys.schedule.next);
  EXPECT_TRUE(has(without_keys.times[0], ":30:00.000000Z"));
  EXPECT_EQ(show("backup", {"--keys", keys_}).schedule.catch_up, weft::jobs::catch_up::skip);
  const auto text = schedules("show", {"backup", "--keys", keys_}).out;
  for (const auto* part : {"Europe/Berlin", "skip", "weft.exec", "due", "no jobs"})
    EXPECT_TRUE(has(text, part)) << part << " in\n" << text;
}

TEST_F(weft_schedules, of_programs_and_of_closures_are_listed_by_name) {
  ASSERT_EQ(add("zebra").status, 0);
  queue().schedule("ant", weft::jobs::cron("@hourly"), weft::closure{weft::named_closure<"cli.tick">([] {})});
  const auto all = from_json<shown_schedules>(schedules("list", {"--json", "--keys", keys_}).out).schedules;
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "ant");
  EXPECT_EQ(all[0].closure, "cli.tick()");
  EXPECT_EQ(all[1].name, "zebra");
  const auto text = schedules("list").out;
  EXPECT_TRUE(text.starts_with("NAME")) << text;
  EXPECT_TRUE(has(text, "@hourly")) << text;
}

TEST_F(weft_schedules, rest_while_they_are_paused_and_end_when_they_are_removed) {
  ASSERT_EQ(add("backup").status, 0);
  EXPECT_EQ(schedules("pause", {"backup"}).status, 0);
  EXPECT_TRUE(show("backup").schedule.paused);
  EXPECT_TRUE(show("backup").times.empty()) << "nothing is due while it is paused";
  EXPECT_TRUE(has(schedules("list").out, "paused"));
  EXPECT_EQ(schedules("resume", {"backup"}).status, 0);
  EXPECT_FALSE(show("backup").schedule.paused);
  EXPECT_EQ(show("backup").times.at(0), show("backup").schedule.next);
  EXPECT_EQ(schedules("remove", {"backup"}).status, 0);
  EXPECT_TRUE(from_json<shown_schedules>(schedules("list", {"--json"}).out).schedules.empty());
}

TEST_F(weft_schedules, push_a_job_now_and_keep_their_times) {
  ASSERT_EQ(add("backup", {"--tag", "night", "--attempts", "2"}).status, 0);
  const auto next = show("backup").schedule.next;
  const auto done = schedules("run-now", {"backup", "--keys", keys_});
  ASSERT_EQ(done.status, 0) << done.err;
  const auto id = done.out.substr(0, done.out.find('\n'));
  EXPECT_EQ(schedules("run-now", {"backup", "--keys", keys_}).status, 0) << "as often as it is said";
  const auto shown = show("backup", {"--keys", keys_});
  EXPECT_EQ(shown.schedule.next, next);
  ASSERT_EQ(shown.jobs.size(), 2U);
  const auto& job = shown.jobs[1];
  EXPECT_EQ(job.id, id);
  EXPECT_EQ(job.state, "ready");
  EXPECT_EQ(job.attempts_max, 2);
  EXPECT_EQ(job.problem, std::nullopt);
  EXPECT_EQ(job.tags, (std::vector<std::string>{"night", "schedule:backup"}));
  EXPECT_TRUE(has(to_text(job.arguments), R"(["backup","--all","/srv"])")) << to_text(job.arguments);
}

TEST_F(weft_schedules, that_are_not_there_are_named) {
  ASSERT_EQ(add("backup").status, 0);
  for (const auto* command : {"show", "pause", "resume", "remove"}) {
    const auto done = schedules(command, {"bakcup"});
    EXPECT_EQ(done.status, 1) << command;
    EXPECT_TRUE(has(done.err, "no schedule \"bakcup\"")) << done.err;
  }
  EXPECT_EQ(schedules("run-now", {"bakcup", "--keys", keys_}).status, 1);
}

TEST_F(weft_schedules, that_make_no_sense_are_refused_and_leave_nothing) {
  const auto broken =
      schedules("add", {"x", "--keys", keys_, "--cron", "61 * * * *", "--exec", "--", "true"});
  EXPECT_EQ(broken.status, 1);
  EXPECT_TRUE(has(broken.err, "minute (field 1)")) << broken.err;
  EXPECT_EQ(add("x", {"--zone", "Europe/Atlantis"}).status, 1);
  EXPECT_EQ(add("x", {"--catch-up", "never"}).status, 2);
  EXPECT_EQ(add("x", {}, {}).status, 2) << "no program";
  EXPECT_EQ(schedules("add", {"x", "--cron", "@hourly", "--exec", "--", "true"}).status, 1) << "no keys";
  EXPECT_EQ(schedules("pause").status, 2) << "no name";
  (void)queue();
  EXPECT_TRUE(from_json<shown_schedules>(schedules("list", {"--json"}).out).schedules.empty());
}

TEST_F(weft_schedules, that_are_forged_say_so) {
  ASSERT_EQ(add("backup").status, 0);
  weft::wire::key_ring(weft::wire::key::generate("else")).save(folder_ / "others");
  const auto shown = show("backup", {"--keys", folder_ / "others"});
  EXPECT_TRUE(shown.schedule.problem);
  EXPECT_FALSE(shown.schedule.closure);
  const auto refused = schedules("run-now", {"backup", "--keys", folder_ / "others"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.out, "");
}

}  // namespace
