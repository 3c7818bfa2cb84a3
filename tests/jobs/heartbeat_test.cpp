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
                    {.beat_interval = 1h}, told);
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

/// Workers of one store, each on a host of its own, in a simulation.
class upkeep_test : public testing::Test {
 protected:
  static constexpr auto interval = 2s;

  std::unique_ptr<heartbeat> join(std::int64_t id) {
    const worker_row self{.id = worker_id{id}, .host = "h" + std::to_string(id), .pid = id, .build = "b"};
    const heartbeat::listener told{.cancelled = [](const std::vector<job_id>&) {}, .lost = [] {}};
    const upkeep_options care{.beat_interval = interval, .retention = retention_};
    return std::make_unique<heartbeat>(*kept_, clock::system(), self, care, told);
  }
  worker_id leader() { return kept_->lead(worker_id{1}, std::nullopt).id; }
  void push(std::int64_t id) {
    new_job one;
    one.id = job_id{id};
    one.queue = "q";
    one.handler = "h";
    kept_->push({&one, 1});
  }
  claim_result claim(worker_id owner, std::size_t count = 1) {
    claim_request request;
    request.owner = owner;
    request.queues = {"q"};
    request.count = count;
    request.now = clock::system().now();
    return kept_->claim(request);
  }

  std::shared_ptr<store> kept_ = open_store("memory:");
  job_retention retention_;
};

TEST_F(upkeep_test, a_leader_that_falls_silent_is_followed_within_ten_seconds_and_its_jobs_are_taken_back) {
  simulate(1, [&] {
    // Killed: its row stays, and its beat does not change.
    kept_->add_worker({.id = worker_id{9}, .host = "h9", .pid = 9, .build = "b"});
    EXPECT_EQ(kept_->lead(worker_id{9}, std::nullopt).id, worker_id{9});
    push(1);
    EXPECT_EQ(claim(worker_id{9}).jobs.size(), 1U);
    const auto first = join(1);
    const auto second = join(2);
    EXPECT_EQ(leader(), worker_id{9});
    sleep_for(10s);
    EXPECT_NE(leader(), worker_id{9});
    sleep_for(3s);
    EXPECT_EQ(kept_->workers().size(), 2U);
    EXPECT_EQ(kept_->find(job_id{1})->state, job_state::ready);
    EXPECT_EQ(kept_->find(job_id{1})->crashes, 1);
  });
}

TEST_F(upkeep_test, a_leader_that_goes_in_order_is_followed_within_a_second) {
  simulate(1, [&] {
    const auto stays = join(1);
    kept_->add_worker({.id = worker_id{9}, .host = "h9", .pid = 9, .build = "b"});
    EXPECT_EQ(kept_->lead(worker_id{9}, kept_->lead(worker_id{9}, std::nullopt)).id, worker_id{9});
    const auto joins = join(2);
    kept_->remove_worker(worker_id{9}, clock::system().now());
    sleep_for(1s);
    const auto leads = kept_->lead(worker_id{2}, std::nullopt).id;
    EXPECT_TRUE(leads == worker_id{1} || leads == worker_id{2});
  });
}

TEST_F(upkeep_test, only_the_leader_takes_jobs_back) {
  simulate(1, [&] {
    const auto leads = join(1);
    const auto follows = join(2);
    kept_->add_worker({.id = worker_id{9}, .host = "h9", .pid = 9, .build = "b"});
    sleep_for(30s);
    EXPECT_EQ(leader(), worker_id{1});
    EXPECT_EQ(kept_->workers().size(), 2U);
  });
}

TEST_F(upkeep_test, the_leader_deletes_what_has_ended_long_ago) {
  retention_ = {.done = 1h, .given_up = std::nullopt};
  simulate(1, [&] {
    const auto leads = join(1);
    constexpr std::int64_t jobs = 1200;  // more than at once
    for (std::int64_t id = 1; id <= jobs; ++id) push(id);
    for (const auto& one : claim(worker_id{1}, jobs).jobs) {
      const auto next = one.id == job_id{7} ? next_step::dead : next_step::done;
      EXPECT_TRUE(kept_->finish({.id = one.id,
                                 .owner = worker_id{1},
                                 .fence = one.fence,
                                 .next = next,
                                 .now = clock::system().now(),
                                 .record = {.attempt = 1}}));
    }
    sleep_for(59min);
    EXPECT_EQ(kept_->stats().at(0).done, jobs - 1);
    sleep_for(2min);
    EXPECT_EQ(kept_->stats().at(0).done, 0);
    EXPECT_EQ(kept_->stats().at(0).dead, 1) << "those are kept";
  });
}

}  // namespace
}  // namespace weft::jobs
