#include <weft/core/outside_work.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <optional>
#include <utility>

#include "core/still_oracle.hpp"

namespace weft::detail {
namespace {

TEST(outside_work, is_counted_while_it_lives) {
  EXPECT_EQ(outside_work::count(), 0);
  {
    const outside_work one;
    const outside_work another;
    EXPECT_EQ(outside_work::count(), 2);
  }
  EXPECT_EQ(outside_work::count(), 0);
}

TEST(outside_work, that_is_moved_counts_once) {
  outside_work first;
  {
    outside_work second(std::move(first));
    EXPECT_EQ(outside_work::count(), 1);
    outside_work third;
    third = std::move(second);  // the third's own ends
    EXPECT_EQ(outside_work::count(), 1);
    third.end();
    EXPECT_EQ(outside_work::count(), 0);
  }
  EXPECT_EQ(outside_work::count(), 0);
}

TEST(outside_work, of_a_simulation_is_not_outside) {
  std::optional<still_oracle> simulated(std::in_place);
  std::optional<outside_work> made_inside(std::in_place);
  EXPECT_EQ(outside_work::count(), 0);
  simulated.reset();
  made_inside.reset();
  EXPECT_EQ(outside_work::count(), 0);
}

TEST(outside_work, of_the_parent_is_not_work_of_a_forked_child) {
  std::optional<outside_work> ours(std::in_place);
  const pid_t child = fork();
  if (child == 0) {
    const bool from_zero = outside_work::count() == 0;
    ours.reset();
    _exit(from_zero && outside_work::count() == 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(outside_work::count(), 1);
}

}  // namespace
}  // namespace weft::detail
