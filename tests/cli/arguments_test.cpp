// Whatever the command line says, the command ends in order: with 0, 1 or 2.
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/run_weft.hpp"

namespace {

constexpr unsigned seed = 20261121;
constexpr int runs = 3000;

// None of these leads to an address that could be waited for, or to a file that grows.
const std::vector<std::string> words{
    "call",      "doctor",    "workers",      "log",     "view",      "--json",      "--help",
    "-h",        "-v",        "-q",           "-V",      "--version", "--native",    "--strings",
    "--timeout", "0.001",     "-1",           "1e400",   "--",        "-",           "",
    "nowhere",   "[1,2]",     "{\"a\":",      "--where", "end>x",     "end>1",       "=",
    "--count",   "a.b.0",     "--width",      "5",       "40",        "/dev/null",   "/no/such",
    "λ",         "\x1b[2J",   "\xff",         "-5",      "--unknown", "unix:",       ":0",
    "--grep",    "--no-data", "--sort",       "--utc",   "--map",     "--verbosity", "%s%n",
    "--sum=end", "keys",      "list",         "check",   "retire",    "--store",     "sqlite:/no/such",
    "jobs",      "show",      "stats",        "retry",   "cancel",    "push",        "--exec",
    "work",      "db",        "migrate",      "backup",  "--db",      "--all",       "--dry-run",
    "--state",   "dead",      "schedules",    "add",     "run-now",   "--cron",      "@hourly",
    "batches",   "--at",      "--rate-limit", "limits",  "set",       "release",     "--rate"};

std::vector<std::string> draw(std::mt19937& random) {
  std::vector<std::string> all;
  const auto count = random() % 8;
  for (unsigned i = 0; i < count; ++i) {
    auto word = words[random() % words.size()];
    if (random() % 20 == 0) word += words[random() % words.size()];
    all.push_back(std::move(word));
  }
  return all;
}

TEST(arguments, of_any_kind_end_in_order) {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::close(nothing);
  std::mt19937 random(seed);
  for (int i = 0; i < runs; ++i) {
    const auto arguments = draw(random);
    const auto done = weft_test::run_weft(arguments);
    std::string shown;
    for (const auto& one : arguments) shown += "'" + one + "' ";
    ASSERT_TRUE(done.status == 0 || done.status == 1 || done.status == 2) << done.status << " of " << shown;
    ASSERT_TRUE(done.status == 0 || !done.err.empty()) << "fails in silence: " << shown;
  }
}

TEST(arguments, that_are_mistyped_are_named_with_what_was_meant) {
  struct mistake {
    std::vector<std::string> arguments;
    const char* says;
  };
  const std::vector<mistake> mistakes{
      {{}, "weft: say what to do: "},
      {{"jbos"}, "weft: there is no command \"jbos\"; did you mean jobs?"},
      {{"frobnicate"}, "weft: there is no command \"frobnicate\"\n"},
      {{"jobs"}, "weft jobs: say what to do: push, list"},
      {{"jobs", "lsit"}, "weft jobs: there is no command \"lsit\"; did you mean list?"},
      {{"jobs", "list", "--db", "memory:", "--qeue=mail"},
       "weft jobs list: there is no option \"--qeue\"; did you mean --queue?"},
      {{"jobs", "list", "--db", "memory:", "mail"}, "weft jobs list: there is no argument \"mail\"\n"},
      {{"jobs", "list", "--db", "memory:", "--limit", "0"},
       "weft jobs list: --limit: Value 0 not in range 1 to"},
      {{"jobs", "list"}, "weft jobs list: no database: say --db"},
      {{"jobs", "show", "--db", "memory:", "1e5"}, "weft jobs show: \"1e5\" is no id of a job"},
      {{"\x1b[2J"}, "weft: there is no command \"\\x1b[2J\""},
  };
  unsetenv("WEFT_DB");
  for (const auto& [arguments, says] : mistakes) {
    const auto done = weft_test::run_weft(arguments);
    EXPECT_EQ(done.status, 2) << says;
    EXPECT_TRUE(done.err.starts_with(says)) << done.err << "and not\n" << says;
    EXPECT_NE(done.err.find("--help` has all\n"), std::string::npos) << done.err;
    EXPECT_EQ(done.out, "");
  }
}

}  // namespace
