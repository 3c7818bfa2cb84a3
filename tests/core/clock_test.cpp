#include <weft/core/clock.hpp>

#include <gtest/gtest.h>

#include <climits>
#include <ratio>
#include <thread>

#include <weft/core/milliseconds_until.hpp>
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

bool is_over(steady_time until) { return until <= steady_clock::now(); }

TEST(deadline_after, is_in_the_future_by_as_much) {
  const auto before = steady_clock::now();
  const auto until = deadline_after(1h);
  EXPECT_GE(until, before + 1h);
  EXPECT_LE(until, steady_clock::now() + 1h);
}

TEST(deadline_after, never_overflows) {
  EXPECT_EQ(deadline_after(std::chrono::hours::max()), no_deadline);
  EXPECT_EQ(deadline_after(std::chrono::duration<double>(1e300)), no_deadline);
  EXPECT_TRUE(is_over(deadline_after(std::chrono::hours::min())));
  EXPECT_TRUE(is_over(deadline_after(0s)));
}

TEST(deadline_after, rounds_up_to_the_clock) {
  using tiny = std::chrono::duration<std::int64_t, std::pico>;
  const auto before = steady_clock::now();
  EXPECT_GE(deadline_after(tiny(1)), before + 1ns);
}

TEST(deadline_at, takes_points_of_the_monotonic_clock_as_they_are) {
  const auto until = steady_clock::now() + 5s;
  EXPECT_EQ(deadline_at(until), until);
  EXPECT_EQ(deadline_at(no_deadline), no_deadline);
  const auto whole = std::chrono::ceil<std::chrono::seconds>(until);
  EXPECT_EQ(deadline_at(whole), whole);
  using far = std::chrono::time_point<steady_clock, std::chrono::hours>;
  EXPECT_EQ(deadline_at(far::max()), no_deadline);
  EXPECT_TRUE(is_over(deadline_at(far::min())));
}

TEST(deadline_at, turns_points_of_other_clocks_into_the_time_that_is_left) {
  const auto before = steady_clock::now();
  const auto until = deadline_at(std::chrono::system_clock::now() + 1h);
  EXPECT_GT(until, before + 59min);
  EXPECT_LT(until, steady_clock::now() + 61min);
  EXPECT_TRUE(is_over(deadline_at(std::chrono::system_clock::now() - 1s)));
  EXPECT_EQ(deadline_at(std::chrono::system_clock::time_point::max()), no_deadline);
  EXPECT_TRUE(is_over(deadline_at(std::chrono::system_clock::time_point::min())));
}

TEST(deadline_at, of_the_wall_clock_is_simulated_too) {
  detail::still_oracle simulated;
  simulated.time = steady_time(5h);
  simulated.wall_time = wall_clock::time_point(300h);
  EXPECT_EQ(deadline_at(wall_clock::now() + 2h), steady_time(7h));
}

TEST(milliseconds_until, rounds_up_and_is_bounded) {
  const steady_time now = steady_clock::now();
  EXPECT_EQ(detail::milliseconds_until(no_deadline, now), -1);
  EXPECT_EQ(detail::milliseconds_until(now, now), 0);
  EXPECT_EQ(detail::milliseconds_until(steady_time::min(), now), 0);
  EXPECT_EQ(detail::milliseconds_until(now + std::chrono::nanoseconds(1), now), 1);
  EXPECT_EQ(detail::milliseconds_until(now + std::chrono::milliseconds(7), now), 7);
  EXPECT_EQ(detail::milliseconds_until(no_deadline - std::chrono::nanoseconds(1), now), INT_MAX);
}

}  // namespace
}  // namespace weft
