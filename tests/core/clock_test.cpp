#include <weft/core/clock.hpp>

#include <gtest/gtest.h>

#include <thread>

#include <weft/core/task_block.hpp>

#include "core/still_oracle.hpp"

namespace weft {
namespace {

using namespace std::chrono_literals;

TEST(steady_clock, reads_the_monotonic_clock_of_the_system) {
  const auto before = std::chrono::steady_clock::now();
  const auto read = steady_clock::now();
  EXPECT_LE(before, read);
  EXPECT_LE(read, std::chrono::steady_clock::now());
}

TEST(wall_clock, reads_the_clock_of_the_system) {
  const auto before = std::chrono::system_clock::now();
  const auto read = wall_clock::now();
  EXPECT_LE(before, read);
  EXPECT_LE(read, std::chrono::system_clock::now());
}

TEST(steady_clock, in_a_simulation_stands_until_its_time_is_moved) {
  detail::still_oracle simulated;
  simulated.time = steady_time(5h);
  EXPECT_EQ(steady_clock::now(), steady_time(5h));
  EXPECT_EQ(deadline_after(2h), steady_time(7h));
  simulated.time += 1h;
  EXPECT_EQ(steady_clock::now(), steady_time(6h));
}

TEST(wall_clock, in_a_simulation_is_the_simulations) {
  detail::still_oracle simulated;
  simulated.wall_time = wall_clock::time_point(3h);
  EXPECT_EQ(wall_clock::now(), wall_clock::time_point(3h));
}

TEST(steady_clock, of_other_threads_is_not_simulated) {
  const detail::still_oracle simulated;
  steady_time elsewhere;
  std::thread([&] { elsewhere = steady_clock::now(); }).join();
  EXPECT_NE(elsewhere, steady_clock::now());
}

TEST(oracle, is_none_again_when_the_simulation_is_over) {
  { const detail::still_oracle simulated; }
  EXPECT_EQ(detail::oracle::current(), nullptr);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_GE(steady_clock::now(), before);
}

TEST(oracle, gives_ids_to_tasks_and_hears_of_scheduling_points) {
  detail::scheduling_point("outside");  // nobody to hear it
  detail::still_oracle simulated;
  EXPECT_EQ(detail::next_task_id(), 1U);
  EXPECT_EQ(detail::next_task_id(), 2U);
  detail::scheduling_point("inside");
  EXPECT_EQ(simulated.points, std::vector<std::string>{"inside"});
}

}  // namespace
}  // namespace weft
