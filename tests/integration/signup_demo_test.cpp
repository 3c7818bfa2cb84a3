// The main job from end to end, as a user runs it.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <string>

#include "integration/signup_process.hpp"
#include "support/sanitized.hpp"

namespace {

using weft::test::signup_process;
using weft::test::temporary_folder;

/// The number after `label` in the summary.
long number_after(const std::string& text, const std::string& label) {
  const auto at = text.find(label);
  return at == text.npos ? -1 : std::strtol(text.c_str() + at + label.size(), nullptr, 10);
}

/// The first rows of the list.
std::filesystem::path first_rows(const temporary_folder& folder, int rows) {
  const auto path = folder.path() / "people.csv";
  std::ifstream from(WEFT_SIGNUP_PEOPLE);
  std::ofstream to(path);
  std::string line;
  for (int i = 0; i <= rows && std::getline(from, line); ++i) to << line << '\n';
  return path;
}

TEST(signup_demo, every_accepted_sign_up_gets_exactly_one_mail) {
  const temporary_folder folder;
  signup_process demo({"--people", WEFT_SIGNUP_PEOPLE, "--folder", folder.path() / "data"});
  const std::string report = demo.read_all();
  ASSERT_EQ(demo.wait(), weft::process::exit_status::exited(0)) << report;

  const long accepted = number_after(report, "  accepted");
  EXPECT_EQ(number_after(report, "sign-ups posted"), 500);
  EXPECT_GE(accepted, 470) << report;
  EXPECT_EQ(number_after(report, "users stored"), accepted);
  EXPECT_EQ(number_after(report, "mails delivered"), accepted);
  EXPECT_GE(number_after(report, "jobs, "), 50) << "too few attempts failed by the rule";
  // One request told through all four places.
  for (const char* step :
       {"sign-up begins", "password hashed", "user stored, mail pushed", "delivering", "mail delivered"}) {
    EXPECT_NE(report.find(step), report.npos) << step << '\n' << report;
  }
}

TEST(signup_demo, each_bad_row_is_refused_for_its_own_reason) {
  const temporary_folder folder;
  signup_process demo(
      {"--people", WEFT_SIGNUP_PEOPLE, "--folder", folder.path() / "data", "--fault-percent", "0"});
  const std::string report = demo.read_all();
  ASSERT_EQ(demo.wait(), weft::process::exit_status::exited(0)) << report;
  for (const char* reason :
       {"422 password: it is empty", "422 password: it is shorter", "422 name: it is empty",
        "422 email: it is no address", "422 email: it is longer", "409 this address has signed up already",
        "413 ", "UTF-8", "not posted: 2 columns where 3 belong", "not posted: 5 columns where 3 belong"}) {
    EXPECT_NE(report.find(reason), report.npos) << reason << '\n' << report;
  }
}

TEST(signup_demo, killed_at_any_point_and_started_again_it_ends_with_the_same_guarantee) {
  const int points = sanitized ? 4 : 20;
  const temporary_folder list;
  const auto people = first_rows(list, 60);
  for (int seed = 1; seed <= points; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const temporary_folder folder;
    const std::vector<std::string> command{"--people", people, "--folder", folder.path() / "data",
                                           "--events"};
    {
      // 60 rows give 60 events "posted" and one for each mail delivered.
      std::mt19937 random(static_cast<unsigned>(seed));
      const int events = static_cast<int>(random() % 110);
      signup_process killed(command);
      for (int i = 0; i < events; ++i) killed.read_line();
      killed.kill_group();
      killed.wait();
    }
    signup_process again(command);
    const std::string report = again.read_all();
    ASSERT_EQ(again.wait(), weft::process::exit_status::exited(0)) << report;
    EXPECT_EQ(number_after(report, "users stored"), number_after(report, "mails delivered")) << report;
    EXPECT_GE(number_after(report, "users stored"), 50) << report;
  }
}

}  // namespace
