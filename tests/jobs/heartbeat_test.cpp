#include "jobs/heartbeat.hpp"

#include <gtest/gtest.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/simulate.hpp>

#include "store_contract/lose_worker.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

TEST(heartbeat, of_two_beats_at_once_of_a_worker_that_was_taken_for_dead_one_hears_of_it) {
  int losses = 0;
  bool rescued = false;
  simulate(1, [&] {
    const auto kept = open_store("memory:");
    const heartbeat::listener told{.cancelled = [](const std::vector<job_id>&) {},
                                   .lost =
                                       [&] {
                                         ++losses;
                                         sleep_for(1s);  // the other beat comes meanwhile
                                       }};
    heartbeat beats(*kept, clock::system(), {.id = worker_id{1}, .host = "h", .pid = 1, .build = "b"},
                    {.interval = 1h}, told);
    const auto seen = kept->workers().at(0);
    store_contract_support::lose_worker(*kept, worker_id{1}, clock::system().now(), 3);
    scope both;
    for (int i = 0; i < 2; ++i) both.go([&] { beats.beat(); });
    both.join();
    rescued = kept->rescue(seen, clock::system().now(), 3).has_value();
  });
  EXPECT_EQ(losses, 1) << "the second one would end what the worker began since";
  EXPECT_FALSE(rescued) << "that beat was before it came back";
}

}  // namespace
}  // namespace weft::jobs
