#include "support/child.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weft::bench {
namespace {

std::string problem_of(const std::vector<std::string>& command) {
  try {
    number_from(command);
  } catch (const unavailable& why) {
    return why.what();
  }
  return "none";
}

TEST(bench_child, gives_the_number_on_the_last_line) {
  EXPECT_EQ(number_from({"sh", "-c", "echo starting; echo 12.5"}), 12.5);
}

TEST(bench_child, has_the_settings_in_its_environment) {
  EXPECT_EQ(number_from({"sh", "-c", "echo $PROBED"}, {"PROBED=7"}), 7);
}

TEST(bench_child, that_fails_is_unavailable_with_what_it_said_last) {
  EXPECT_EQ(problem_of({"sh", "-c", "echo first; echo no memory >&2; exit 3"}),
            "sh: exit status 3: no memory");
  EXPECT_EQ(problem_of({"sh", "-c", "kill -9 $$"}), "sh: killed by signal 9: ");
}

TEST(bench_child, that_does_not_exist_is_unavailable) {
  EXPECT_EQ(problem_of({"/no/such/peer"}),
            "peer: exit status 127: cannot be started: No such file or directory");
}

TEST(bench_child, that_prints_something_else_is_unavailable) {
  EXPECT_EQ(problem_of({"echo", "12 apples"}), "echo printed no number but '12 apples'");
  EXPECT_EQ(problem_of({"true"}), "true printed no number but ''");
}

TEST(bench_child, a_probe_is_found_by_name) {
  const add_probe seven{"seven", [] { return 7.0; }};
  const add_probe fails{"fails", []() -> double { throw unavailable("cannot"); }};
  EXPECT_EQ(run_probe("seven"), 0);
  EXPECT_EQ(run_probe("fails"), 1);
  EXPECT_EQ(run_probe("nine"), 2);
}

}  // namespace
}  // namespace weft::bench
