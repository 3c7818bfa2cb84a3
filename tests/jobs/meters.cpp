#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/jobs/store_meters.hpp>
#include <weft/metrics/registry.hpp>

#include "jobs/host.hpp"
#include "jobs/jobs_fixture.hpp"
#include "store_contract/lose_worker.hpp"
#include "support/scratch_folder.hpp"

// What workers and stores show of themselves to who collects metrics.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;
using label_values = std::initializer_list<std::string_view>;

void ends_well() {}
struct figure {
  double value = -1;
};
[[noreturn]] void fails() { throw std::runtime_error("no"); }

double value_of(std::string_view name, label_values labels,
                const metrics::registry& in = metrics::default_registry()) {
  const auto now = in.take_snapshot();
  const auto* const found = now.find(name, labels);
  return found == nullptr ? -1 : found->value;
}

std::uint64_t count_of(std::string_view name, label_values labels) {
  const auto now = metrics::default_registry().take_snapshot();
  const auto* const found = now.find(name, labels);
  return found == nullptr ? 0 : found->histogram.count();
}

class meters : public jobs_fixture {
 protected:
  /// Lets others run until the figure is there.
  template <typename Claim>
  static bool comes_true(Claim claim) {
    const auto until = steady_clock::now() + 60s;
    for (; !claim(); sleep_for(1ms)) {
      if (steady_clock::now() > until) return false;
    }
    return true;
  }
  double shown(std::string_view name, label_values labels) const { return value_of(name, labels, registry_); }

  metrics::registry registry_;
  const closure<> well_{function<&ends_well>};
  const closure<> fails_{function<&fails>};
};

}  // namespace

TEST_F(meters, a_worker_counts_what_it_runs) {
  const std::string name = "meters.work";
  queue_->push(well_, {.queue = name});
  queue_->push(fails_, {.queue = name, .max_attempts = 2});
  clock_.advance(3s);
  const worker_options options{.queues = {name}, .retry = {.first = 1h, .longest = 1h}};
  EXPECT_EQ(run_due(options), 2U);
  EXPECT_EQ(value_of("weft_jobs_attempts_total", {name, "done"}), 1);
  EXPECT_EQ(value_of("weft_jobs_attempts_total", {name, "failed"}), 1);
  EXPECT_EQ(value_of("weft_jobs_retries_total", {name}), 1);
  EXPECT_EQ(value_of("weft_jobs_given_up_total", {name, "dead"}), 0);
  clock_.advance(2h);
  EXPECT_EQ(run_due(options), 1U);
  EXPECT_EQ(value_of("weft_jobs_attempts_total", {name, "failed"}), 2);
  EXPECT_EQ(value_of("weft_jobs_retries_total", {name}), 1);
  EXPECT_EQ(value_of("weft_jobs_given_up_total", {name, "dead"}), 1);
  EXPECT_EQ(count_of("weft_jobs_run_seconds", {name}), 3U);
  ASSERT_EQ(count_of("weft_jobs_wait_seconds", {name}), 2U) << "of first attempts";
  const auto now = metrics::default_registry().take_snapshot();
  EXPECT_DOUBLE_EQ(now.find("weft_jobs_wait_seconds", {name})->histogram.sum, 6) << "3 s each";
}

TEST_F(meters, a_worker_shows_what_it_runs_now_and_could_run) {
  const auto running = [] { return value_of("weft_jobs_running", {}); };
  figure during;
  const closure looks{
      named_closure<"meters.looks">([](figure& into) { into.value = value_of("weft_jobs_running", {}); })};
  app_.provide(during);
  queue_->push(looks, {.queue = "meters.now"});
  EXPECT_LE(running(), 0) << "there is no worker";
  EXPECT_EQ(run_due({.queues = {"meters.now"}, .concurrency = 7}), 1U);
  EXPECT_EQ(during.value, 1);
  run([&] {
    const worker one(*queue_, app_, {.concurrency = 7});
    EXPECT_EQ(value_of("weft_jobs_worker_slots", {}), 7);
  });
  EXPECT_LE(running(), 0);
}

TEST_F(meters, what_a_dead_worker_held_is_counted_by_who_finds_it) {
  EXPECT_EQ(run_due(), 0U);  // from the first worker on they are shown
  const auto before = value_of("weft_jobs_leases_expired_total", {});
  const auto workers_before = value_of("weft_jobs_workers_lost_total", {});
  ASSERT_GE(before, 0);
  ASSERT_GE(workers_before, 0);
  queue_->push(well_);
  auto& kept = queue_->kept_in();
  kept.add_worker({.id = worker_id{7}, .host = host_identity(), .pid = 1, .pid_started = -1, .build = "b"});
  claim_request claim;
  claim.owner = worker_id{7};
  claim.queues = {queue_->name()};
  claim.now = clock_.now();
  ASSERT_EQ(kept.claim(claim).jobs.size(), 1U);
  EXPECT_EQ(run_due(), 1U) << "found at the start of the next worker";
  EXPECT_EQ(value_of("weft_jobs_leases_expired_total", {}), before + 1);
  EXPECT_EQ(value_of("weft_jobs_workers_lost_total", {}), workers_before + 1);
}

TEST_F(meters, an_attempt_that_is_another_workers_by_its_end_is_not_counted) {
  struct rescuer {
    queue& of;
    worker* self = nullptr;
    bool has_lost = false;
  } other{*queue_};
  app_.provide(other);
  const closure loses{named_closure<"meters.loses">([](rescuer& by) {
    if (std::exchange(by.has_lost, true)) return;
    store_contract_support::lose_worker(by.of.kept_in(), by.self->id(), by.of.clock().now(), 100);
  })};
  queue_->push(loses, {.queue = "meters.lost"});
  run(
      [&] {
        worker_options options = quiet({.queues = {"meters.lost"}});
        options.heartbeat = 1h;
        worker one(*queue_, app_, options);
        other.self = &one;
        EXPECT_EQ(one.run_due(), 2U);
        EXPECT_EQ(one.statistics().stale, 1U);
      },
      with_room_for_sanitizers());
  EXPECT_EQ(value_of("weft_jobs_attempts_total", {"meters.lost", "done"}), 1);
}

TEST_F(meters, errors_of_a_database_are_counted_and_not_those_of_its_user) {
  const auto corrupt = [] {
    return std::max(value_of("weft_jobs_database_errors_total", {"sqlite", "corrupt"}), 0.0);
  };
  const auto before = corrupt();
  const weft_test::scratch_folder folder;
  std::ofstream(folder / "other.db") << std::string(8192, 'x');
  EXPECT_THROW((void)open_store("sqlite:" + (folder / "other.db")), error);
  EXPECT_EQ(corrupt(), before + 1);
  const auto has_other_codes = [] {
    const auto now = metrics::default_registry().take_snapshot();
    const auto* const all = now.find("weft_jobs_database_errors_total");
    return std::ranges::any_of(all->samples,
                               [](const auto& one) { return one.label_values[1] == "not_found"; });
  };
  EXPECT_THROW((void)open_store("sqlite:" + (folder / "none/other.db")), error);
  EXPECT_FALSE(has_other_codes());
}

TEST_F(meters, a_store_is_looked_at_now_and_then) {
  queue_->push(well_, {.queue = "a"});
  queue_->push(well_, {.queue = "b"});
  queue_->push(well_, {.delay = 1h, .queue = "b"});
  queue_->pause("a");
  clock_.advance(90s);
  run(
      [&] {
        const store_meters looking(*queue_, {.interval = 1ms, .queues_max = 10, .to = &registry_});
        ASSERT_TRUE(comes_true([&] { return shown("weft_jobs_queue_depth", {"a", "ready"}) >= 0; }));
        EXPECT_EQ(shown("weft_jobs_queue_depth", {"b", "ready"}), 1);
        EXPECT_EQ(shown("weft_jobs_queue_depth", {"b", "scheduled"}), 1);
        EXPECT_EQ(shown("weft_jobs_queue_depth", {"b", "dead"}), 0);
        EXPECT_EQ(shown("weft_jobs_oldest_ready_age_seconds", {"a"}), 90);
        EXPECT_EQ(shown("weft_jobs_queue_paused", {"a"}), 1);
        EXPECT_EQ(shown("weft_jobs_queue_paused", {"b"}), 0);
        EXPECT_EQ(shown("weft_jobs_workers", {}), 0);
        EXPECT_LT(shown("weft_jobs_sample_age_seconds", {}), 60);
        EXPECT_EQ(shown("weft_jobs_sample_errors_total", {}), 0);
        {
          worker one(*queue_, app_, quiet({.queues = {"b"}}));
          one.run_due();
          EXPECT_TRUE(comes_true([&] { return shown("weft_jobs_workers", {}) == 1; }));
        }
        EXPECT_TRUE(comes_true([&] { return shown("weft_jobs_queue_depth", {"b", "done"}) == 1; }));
        EXPECT_EQ(shown("weft_jobs_oldest_ready_age_seconds", {"b"}), 0) << "nothing waits";
      },
      with_room_for_sanitizers());
  EXPECT_EQ(shown("weft_jobs_sample_age_seconds", {}), -1) << "it is over";
}

TEST_F(meters, a_look_that_throws_what_is_no_error_of_weft_has_failed_and_the_next_one_is_made) {
  class broken_clock final : public clock {
   public:
    moment now() const override {
      if (is_broken) throw std::runtime_error("no time");
      return moment();
    }
    std::atomic<bool> is_broken{true};
  } time;
  queue own(database_->url(), {.keys = keys_, .clock = &time});
  run(
      [&] {
        const store_meters looking(own, {.interval = 1ms, .to = &registry_});
        EXPECT_TRUE(comes_true([&] { return shown("weft_jobs_sample_errors_total", {}) >= 2; }));
        time.is_broken = false;
        EXPECT_TRUE(comes_true([&] { return shown("weft_jobs_workers", {}) == 0; }));
      },
      with_room_for_sanitizers());
}

TEST_F(meters, so_many_queues_are_shown_by_name) {
  for (int i = 0; i < 20; ++i) queue_->push(well_, {.queue = "queue " + std::to_string(10 + i)});
  run(
      [&] {
        const store_meters looking(*queue_, {.interval = 1ms, .queues_max = 5, .to = &registry_});
        ASSERT_TRUE(comes_true([&] { return shown("weft_jobs_queue_depth", {"(other)", "ready"}) >= 0; }));
        EXPECT_EQ(shown("weft_jobs_queue_depth", {"(other)", "ready"}), 15);
        EXPECT_EQ(shown("weft_jobs_queue_depth", {"queue 14", "ready"}), 1);
        EXPECT_EQ(shown("weft_jobs_queue_depth", {"queue 15", "ready"}), -1);
        const auto now = registry_.take_snapshot();
        EXPECT_EQ(now.find("weft_jobs_oldest_ready_age_seconds")->samples.size(), 6U);
      },
      with_room_for_sanitizers());
}

TEST_F(meters, a_database_that_does_not_answer_holds_up_neither_a_snapshot_nor_the_loop) {
  queue_->push(well_);
  std::promise<void> stuck;
  std::promise<void> answer;
  std::thread slow([&, on = answer.get_future().share()] {
    queue_->kept_in().count_unroutable([&](std::string_view) {  // on the thread that serves all reads
      stuck.set_value();
      on.wait();
      return true;
    });
  });
  stuck.get_future().wait();
  run(
      [&] {
        const store_meters looking(*queue_, {.interval = 1ms, .timeout = 10ms, .to = &registry_});
        EXPECT_TRUE(comes_true([&] { return shown("weft_jobs_sample_errors_total", {}) >= 3; }));
        EXPECT_GE(shown("weft_jobs_sample_age_seconds", {}), 0.03);
        EXPECT_EQ(shown("weft_jobs_workers", {}), -1) << "it was never seen";
        answer.set_value();
        EXPECT_TRUE(comes_true([&] {
          return shown("weft_jobs_queue_depth", {queue_->name(), "ready"}) == 1;
        }));
      },
      with_room_for_sanitizers());
  slow.join();
}

}  // namespace weft::jobs
