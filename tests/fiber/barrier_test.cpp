#include <weft/fiber/barrier.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "fiber/lock_helpers.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

class barrier_tasks : public testing::TestWithParam<crew::kind> {};

TEST_P(barrier_tasks, nobody_is_a_phase_ahead) {
  constexpr int tasks = 6;
  const int phases = sanitized ? 20 : 200;
  weft::run([&] {
    std::atomic<int> arrivals{0};
    int completed = 0;
    weft::barrier meet(tasks, [&] {
      ++completed;
      EXPECT_EQ(arrivals, tasks * completed);
    });
    crew all(GetParam());
    for (int i = 0; i < tasks; ++i) {
      all.start([&] {
        for (int phase = 1; phase <= phases; ++phase) {
          ++arrivals;
          meet.arrive_and_wait();
          EXPECT_GE(arrivals, tasks * phase);
        }
      });
    }
    all.join();
    EXPECT_EQ(completed, phases);
  });
}

INSTANTIATE_TEST_SUITE_P(tasks, barrier_tasks, kinds_of_crew(), kind_name());

TEST(barrier, a_thousand_fibers_and_four_threads_meet) {
  const int phases = sanitized ? 3 : 20;
  std::atomic<long> arrivals{0};
  weft::barrier meet(1'004);
  on_fibers_and_threads(1'000, 4, [&] {
    for (int phase = 1; phase <= phases; ++phase) {
      ++arrivals;
      meet.arrive_and_wait();
      EXPECT_GE(arrivals, 1'004L * phase);
    }
  });
}

TEST(barrier, who_arrived_may_wait_later_or_never) {
  weft::run([] {
    weft::barrier meet(2);
    auto mine = meet.arrive();
    EXPECT_FALSE(meet.wait_for(mine, 1ms));
    EXPECT_FALSE(meet.wait_until(mine, std::chrono::system_clock::now() + 1ms));
    EXPECT_EQ(meet.missing(), 1U);
    auto waits = weft::go([&] { meet.wait(std::move(mine)); });
    until_waiting(meet, 1);
    auto other = meet.arrive();
    waits.join();
    meet.wait(std::move(other));
    EXPECT_EQ(meet.missing(), 2U);
  });
}

TEST(barrier, who_drops_out_is_not_waited_for_again) {
  weft::run([] {
    int completed = 0;
    weft::barrier meet(3, [&] { ++completed; });
    auto two = weft::go([&] {
      meet.arrive_and_wait();
      meet.arrive_and_wait();
    });
    meet.arrive_and_drop();
    meet.arrive_and_wait();
    EXPECT_EQ(completed, 1);
    meet.arrive_and_wait();
    two.join();
    EXPECT_EQ(completed, 2);
    meet.arrive_and_drop();
    meet.arrive_and_drop();
    EXPECT_EQ(completed, 3);
    EXPECT_EQ(meet.missing(), 0U);
  });
}

TEST(barrier, the_completion_function_may_wait_and_arrivals_meanwhile_belong_to_the_next_phase) {
  weft::run([] {
    int completed = 0;
    weft::barrier meet(2, [&] {
      weft::sleep_for(1ms);
      ++completed;
    });
    auto one = weft::go([&] {
      auto first = meet.arrive();
      until([&] { return meet.missing() == 2; });  // the phase ends, and the function runs
      EXPECT_EQ(completed, 0);
      auto second = meet.arrive();
      EXPECT_EQ(meet.missing(), 1U);
      meet.wait(std::move(first));
      EXPECT_EQ(completed, 1);
      meet.wait(std::move(second));
      EXPECT_EQ(completed, 2);
    });
    weft::yield();
    meet.arrive_and_wait();
    meet.arrive_and_wait();
    one.join();
  });
}

constexpr weft::key_spec who_spec{.name = "barrier.who"};
const weft::key<std::string> who{who_spec};

TEST(barrier, the_completion_function_runs_in_the_context_of_where_the_barrier_was_made) {
  weft::run([] {
    std::string seen;
    const auto meet = weft::with(who, "maker", [&] {
      return std::make_unique<weft::barrier>(2, [&] {
        weft::yield();
        seen = who.require() + " told by " + *weft::cause().find(who);
      });
    });
    auto early = weft::with(who, "early", [&] { return weft::go([&] { meet->arrive_and_wait(); }); });
    auto late = weft::with(who, "late", [&] { return weft::go([&] { meet->arrive_and_wait(); }); });
    early.join();
    late.join();
    EXPECT_EQ(seen, "maker told by late");
  });
}

TEST(barrier, a_phase_that_ends_within_the_completion_of_the_former_is_completed_after_it) {
  weft::run([] {
    int running = 0;
    int completed = 0;
    weft::barrier meet(1, [&] {
      EXPECT_EQ(++running, 1);
      weft::yield();
      --running;
      ++completed;
    });
    auto other = weft::go([&] {
      until([&] { return running == 1; });
      meet.arrive_and_wait();
      EXPECT_EQ(completed, 2);
    });
    meet.arrive_and_wait();
    other.join();
    EXPECT_EQ(completed, 2);
  });
}

TEST(barrier, an_arrival_stays_counted_when_its_wait_is_cancelled) {
  weft::run([] {
    weft::barrier meet(2);
    auto waits = weft::go([&] { meet.arrive_and_wait(); });
    until_waiting(meet, 1);
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    meet.arrive_and_wait();  // ends the phase
    auto late = weft::go([&] { meet.arrive_and_wait(); });
    late.cancel();
    EXPECT_THROW(late.join(), weft::cancelled);
    EXPECT_EQ(meet.missing(), 2U);  // one that never began to run has not arrived
  });
}

TEST(barrier, what_the_completion_function_throws_reaches_the_last_and_the_others_go_on) {
  weft::run([] {
    weft::barrier meet(2, [] { throw std::runtime_error("completion"); });
    auto first = weft::go([&] { meet.arrive_and_wait(); });
    until_waiting(meet, 1);
    EXPECT_THROW(meet.arrive_and_wait(), std::runtime_error);
    first.join();
    EXPECT_EQ(meet.missing(), 2U);
  });
}

TEST(barrier_death, more_arrivals_than_expected_end_the_program) {
  weft::barrier meet(2);
  EXPECT_DEATH((void)meet.arrive(3), "barrier::arrive: thread [0-9]+: 3 arrivals where the phase lacks 2");
}

}  // namespace
