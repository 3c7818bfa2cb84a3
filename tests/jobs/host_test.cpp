// What a worker knows of the processes of its host.
#include "jobs/host.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace weft::jobs {
namespace {

constexpr const char* stat_of_a_sleeper =
    "17 (a (strange) name) S 1 17 17 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 4711 1 2 3";

TEST(process_life, is_told_by_its_start) {
  EXPECT_EQ(life_by(stat_of_a_sleeper, true, 4711), process_life::lives);
  EXPECT_EQ(life_by(stat_of_a_sleeper, true, 4712), process_life::ended) << "another one has its number";
}

TEST(process_life, of_a_process_that_is_not_shown_is_unknown) {
  EXPECT_EQ(life_by("", true, 4711), process_life::unknown);
  EXPECT_EQ(life_by("", false, 4711), process_life::ended);
}

TEST(process_life, ends_with_the_process_before_anybody_has_waited_for_it) {
  const std::int64_t self = ::getpid();
  EXPECT_EQ(life_of_process(self, start_of_process(self)), process_life::lives);
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const std::int64_t started = start_of_process(child);
  EXPECT_GT(started, 0);
  EXPECT_EQ(life_of_process(child, started), process_life::lives);
  ::kill(child, SIGKILL);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(life_of_process(child, started), process_life::ended) << "it is a zombie";
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(life_of_process(child, started), process_life::ended);
}

}  // namespace
}  // namespace weft::jobs
