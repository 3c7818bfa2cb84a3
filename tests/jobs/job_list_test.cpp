#include <weft/jobs/job_list.hpp>

#include <algorithm>
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include <weft/closure/closure.hpp>
#include <weft/wire/json.hpp>

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

const closure plain{named_closure<"list.plain">([](std::string, int) { return 1; }), std::string("a"), 1};
const closure same_schema{named_closure<"list.same">([](std::string, int) { return 2; }), std::string("a"),
                          1};
const closure other_result{
    placed_closure<run_place::pool>(named_closure<"list.other">([](std::string, int) {})), std::string("a"),
    1};

listed_job find(const job_list& in, const std::string& name) {
  const auto found =
      std::find_if(in.jobs.begin(), in.jobs.end(), [&](const auto& one) { return one.name == name; });
  EXPECT_NE(found, in.jobs.end()) << name;
  return found == in.jobs.end() ? listed_job{} : *found;
}

TEST(job_list, has_identity_schema_place_and_retry_policy_of_each_closure) {
  const auto all = list_jobs({.retry = retry_policy::forever(5min, 1h)});
  const auto one = find(all, "list.plain");
  EXPECT_EQ(one.identity, plain.identity().text());
  EXPECT_EQ(one.arguments, "(str,i32)");
  EXPECT_EQ(one.result, "i32");
  EXPECT_EQ(one.schema_hash.size(), 16U);
  EXPECT_EQ(one.schema_hash, find(all, "list.same").schema_hash);
  EXPECT_NE(one.schema_hash, find(all, "list.other").schema_hash);
  EXPECT_EQ(find(all, "list.other").place, "pool");
  EXPECT_NE(one.source.find("job_list_test.cpp"), std::string::npos);
  EXPECT_EQ(all.retry.attempts_max, 0);
  EXPECT_EQ(all.retry.first, 5min);
  EXPECT_EQ(all.retry.alert_after, 1h);
  EXPECT_EQ(wire::from_json<job_list>(wire::to_json(all)).jobs.size(), all.jobs.size());
}

TEST(job_list, is_printed_by_a_program_that_is_asked) {
  const char* const none[] = {"app", "work"};
  const char* const text[] = {"app", "--list-jobs"};
  const char* const json[] = {"app", "--json", "--list-jobs"};
  const auto printed = [](int argc, const char* const* argv, bool expected) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(print_job_list_if_asked(argc, argv, {.on_uncaught = on_uncaught::log_and_drop}), expected);
    std::fflush(stdout);
    return testing::internal::GetCapturedStdout();
  };
  EXPECT_EQ(printed(2, none, false), "");
  const auto table = printed(2, text, true);
  EXPECT_NE(table.find("retry none: an error ends the job\n"), std::string::npos) << table;
  EXPECT_NE(table.find("  list.plain(str,i32) -> i32  unsaid  "), std::string::npos) << table;
  EXPECT_TRUE(wire::from_json<job_list>(printed(3, json, true)).retry.drops_failed);
  EXPECT_NE(to_text(list_jobs()).find("retry 1 s, times 2, jitter 0, at most 3600 s, 10 attempts\n"),
            std::string::npos);
}

}  // namespace
}  // namespace weft::jobs
