#include "cli/doctor.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <weft/cli/cli.hpp>
#include <weft/fiber/stack_guard.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/json.hpp>

namespace {

int run_weft(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "weft");
  std::vector<char*> argv;
  for (auto& one : arguments) argv.push_back(one.data());
  return weft::cli::main(static_cast<int>(argv.size()), argv.data());
}

TEST(doctor, names_the_sqlite_version_in_use_and_warns_of_the_wal_reset_bug) {
  const auto report = weft::cli::examine();
  const auto sqlite = std::find_if(report.findings.begin(), report.findings.end(),
                                   [](const auto& one) { return one.what == "SQLite"; });
  ASSERT_NE(sqlite, report.findings.end());
  const auto expected = weft::jobs::sqlite_version();
  EXPECT_EQ(sqlite->detail.rfind(expected.version, 0), 0U);
  EXPECT_EQ(sqlite->state, expected.has_wal_reset_bug ? "warning" : "ok");
}

TEST(doctor, names_the_stack_guard_in_use) {
  const auto report = weft::cli::examine();
  const auto guards = std::find_if(report.findings.begin(), report.findings.end(),
                                   [](const auto& one) { return one.what == "stack guards"; });
  ASSERT_NE(guards, report.findings.end());
  EXPECT_EQ(guards->detail.rfind(std::string(to_string(weft::stack_guard_in_use())) + ": ", 0), 0U);
}

TEST(doctor, its_json_can_be_read_back) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_weft({"doctor", "--json"}), 0);
  const auto report = weft::wire::from_json<weft::cli::doctor_report>(testing::internal::GetCapturedStdout());
  EXPECT_EQ(report.schema, 1);
  EXPECT_GE(report.findings.size(), 5U);
}

TEST(weft_command, ends_with_2_on_wrong_usage_and_says_it_on_stderr) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_weft({"docktor"}), 2);
  EXPECT_EQ(run_weft({}), 2);
  EXPECT_FALSE(testing::internal::GetCapturedStderr().empty());
}

TEST(weft_command, prints_its_version) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_weft({"--version"}), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "weft 0.1.0\n");
}

}  // namespace
