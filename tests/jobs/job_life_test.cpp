#include "jobs/job_life.hpp"

#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>
#include <weft/jobs/control_messages.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/json.hpp>

namespace weft::jobs {
namespace {

constexpr std::array all_states{job_state::scheduled,   job_state::ready,  job_state::running,
                                job_state::done,        job_state::dead,   job_state::cancelled,
                                job_state::quarantined, job_state::blocked};

std::string row_of(const job_rule& rule) {
  std::string from;
  for (const job_state state : all_states) {
    if (!rule.from.contains(state)) continue;
    from += (from.empty() ? "" : ", ") + std::string(to_string(state));
  }
  const std::string to = rule.to ? std::string(to_string(*rule.to)) : "none";
  return "| " + std::string(rule.name) + " | " + (from.empty() ? "none" : from) + " | " + to + " |";
}

TEST(job_life, the_document_shows_the_table) {
  std::ifstream file(WEFT_JOB_LIFE_DOCUMENT);
  std::string document((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::string table = "| What happens | From | To |\n| --- | --- | --- |\n";
  for (const auto& rule : job_rules) table += row_of(rule) + "\n";
  EXPECT_NE(document.find(table + "\n"), std::string::npos) << "it should be\n" << table;
}

TEST(job_life, every_state_can_be_reached_and_left_but_by_itself_quarantine_is_for_ever) {
  std::set<job_state> reached;
  for (const auto& rule : job_rules) {
    if (rule.to) reached.insert(*rule.to);
  }
  for (const job_state state : all_states) {
    EXPECT_TRUE(reached.contains(state)) << to_string(state);
    bool left = false;
    for (const auto& rule : job_rules) left = left || rule.from.contains(state);
    EXPECT_TRUE(left) << to_string(state);
  }
  EXPECT_FALSE(can(job_state::quarantined, job_event::purged));
}

TEST(job_life, a_step_that_is_not_in_the_table_is_refused_with_its_names) {
  EXPECT_EQ(state_after(job_state::ready, job_event::claimed), job_state::running);
  try {
    state_after(job_state::done, job_event::claimed);
    FAIL() << "a done job was claimed";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::internal);
    EXPECT_NE(refused.message().find("done cannot be claimed"), std::string::npos);
  }
  EXPECT_THROW(state_after(job_event::claimed), error) << "no job begins as claimed";
}

TEST(job_life, a_job_that_is_to_be_cancelled_does_not_wait_again) {
  attempt_end end;
  for (const auto next : {next_step::again, next_step::released}) {
    end.next = next;
    EXPECT_EQ(event_of(end, true), job_event::gave_up);
    EXPECT_NE(event_of(end, false), job_event::gave_up);
  }
  EXPECT_EQ(event_of_loss(1, 3, true), job_event::gave_up);
  EXPECT_EQ(event_of_loss(1, 3, false), job_event::lost);
  EXPECT_EQ(event_of_loss(3, 3, true), job_event::lost_too_often);
}

// The process that runs an attempt and the worker that asked it to may be of two builds.
TEST(control_messages, of_an_older_end_lack_what_came_later) {
  const auto about = wire::from_json<control_about>(R"({"id":7,"attempt":2,"backoffs":1})");
  EXPECT_EQ(about.id, job_id{7});
  EXPECT_EQ(about.attempt, 2);
  EXPECT_FALSE(about.in_line);
  const auto message = wire::from_json<control_message>(R"({"what":"again","backs_off":true})");
  EXPECT_EQ(message.what, control_question::again);
  EXPECT_TRUE(message.backs_off);
  EXPECT_FALSE(message.progress);
  EXPECT_EQ(message.step, "");
}

}  // namespace
}  // namespace weft::jobs
