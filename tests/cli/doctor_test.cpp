#include "cli/doctor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <weft/cli/cli.hpp>
#include <weft/fiber/stack_guard.hpp>
#include <weft/jobs/maintenance.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/json.hpp>

#include "support/scratch_folder.hpp"

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

/// "ok: detail" of what it found about that; empty: nothing.
std::string found_of(const std::string& what, const weft::cli::doctor_options& options) {
  for (const auto& one : weft::cli::examine(options).findings) {
    if (one.what == what) return one.state + ": " + one.detail;
  }
  return {};
}

TEST(doctor, looks_at_clock_and_time_zones) {
  EXPECT_FALSE(found_of("clock", {}).empty());
  EXPECT_EQ(found_of("time zones", {}), "ok: there") << "the tests need tzdata";
}

TEST(doctor, looks_at_a_database_of_its_schema_and_version) {
  const weft_test::scratch_folder folder;
  const std::string url = "sqlite:" + folder / "jobs.db";
  weft::jobs::open_store(url).reset();
  EXPECT_EQ(found_of("database", {.db = url}),
            "ok: SQLite " + weft::jobs::sqlite_version().version + " at " + (folder / "jobs.db"));
  EXPECT_EQ(found_of("schema", {.db = url}),
            "ok: " + std::to_string(weft::jobs::look_at_database(url).schema_known));
  EXPECT_EQ(found_of("server clock", {.db = url}), "") << "a file has none";
  EXPECT_EQ(run_weft({"doctor", "--db", url}), 0);
}

TEST(doctor, a_database_that_cannot_be_opened_is_an_error) {
  const weft_test::scratch_folder folder;
  const std::string url = "sqlite:" + folder / "none.db";
  const auto said = found_of("database", {.db = url});
  EXPECT_EQ(said.rfind("error: ", 0), 0U) << said;
  EXPECT_NE(said.find("none.db"), std::string::npos) << said;
  EXPECT_FALSE(std::filesystem::exists(folder / "none.db")) << "looking makes nothing";
  EXPECT_EQ(run_weft({"doctor", "--db", url}), 1);
}

TEST(doctor, looks_at_keys_and_says_which_one_signs) {
  const weft_test::scratch_folder folder;
  const std::string file = folder / "keys";
  EXPECT_EQ(found_of("keys", {.keys = file}).rfind("error: ", 0), 0U);
  ASSERT_EQ(run_weft({"keys", "generate", file, "--id", "first"}), 0);
  EXPECT_EQ(found_of("keys", {.keys = file}), "ok: 1 in " + file + "; \"first\" signs");
  std::filesystem::permissions(file, std::filesystem::perms{0644});
  EXPECT_EQ(found_of("keys", {.keys = file}).rfind("error: ", 0), 0U) << "everybody may read it";
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
