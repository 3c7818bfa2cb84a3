#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include <weft/closure/services.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

#include "jobs/test_database.hpp"

namespace weft::jobs {

/// A wall clock that tests move.
class set_clock final : public clock {
 public:
  moment now() const override { return moment(std::chrono::microseconds(micros_.load())); }
  void advance(std::chrono::microseconds by) { micros_ += by.count(); }

 private:
  std::atomic<std::int64_t> micros_{1'700'000'000'000'000};
};

/// A queue in a database of its own, with a clock that stands still; see test_database for the kind.
class jobs_fixture : public testing::Test {
 protected:
  jobs_fixture() : keys_(std::make_shared<wire::key_ring>(wire::key::generate("k1"))) { open(); }
  ~jobs_fixture() override { queue_.reset(); }

  void open(queue_options options = {}) {
    queue_.reset();
    options.keys = keys_;
    options.clock = &clock_;
    queue_.emplace(database_->url(), std::move(options));
  }

  /// Runs what is due with a fresh worker; returns the number of attempts.
  std::size_t run_due(worker_options options = {}) {
    std::size_t attempts = 0;
    run(
        [&] {
          worker one(*queue_, app_, quiet(options));
          attempts = one.run_due();
          last_ = one.statistics();
        },
        with_room_for_sanitizers());
    return attempts;
  }
  /// The address sanitizer's frames are several times larger.
  static run_options with_room_for_sanitizers() {
    run_options options;
    options.stack_bytes = 256 * 1024;
    return options;
  }
  static worker_options quiet(worker_options options) {
    options.pass_on_logs = false;
    return options;
  }

  job_info show(job_id id) {
    auto found = queue_->show(id);
    EXPECT_TRUE(found);
    return found ? std::move(*found) : job_info{};
  }
  /// Changes weft's tables as somebody else with access to the database could.
  void tamper(const std::string& sql) { database_->run(sql); }
  /// Puts other bytes in the place of a job's envelope.
  void put_envelope(job_id id, const std::string& bytes) { tamper(envelope_change(id, bytes)); }
  /// The statement for it.
  std::string envelope_change(job_id id, const std::string& bytes) const {
    return "UPDATE weft_job SET envelope = " + database_->literal(bytes) + " WHERE id = " + to_string(id) +
           ';';
  }

  const std::unique_ptr<test_database> database_ = test_database::make();
  set_clock clock_;
  std::shared_ptr<wire::key_ring> keys_;
  std::optional<queue> queue_;
  services app_;
  worker_statistics last_;
};

}  // namespace weft::jobs
