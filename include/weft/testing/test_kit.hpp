#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <weft/closure/services.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/testing/drain_report.hpp>
#include <weft/testing/job_pattern.hpp>
#include <weft/testing/test_clock.hpp>
#include <weft/testing/test_failure.hpp>

namespace weft::inline v1::jobs {

class drain;

struct test_kit_options {
  /// Of the queue; its clock is the kit's, and so are keys where there are none.
  queue_options queue = {};
  std::size_t concurrency = 1;  ///< attempts at a time; with more, their order is not sure
  bool pass_on_logs = false;    ///< records of attempts also go to the sinks
  /// All else of the workers that drain. Their queues are all that the store has, and everything runs on the
  /// fiber that drains, also what is for a pool or for worker processes, unless `pool` or `workers` is set.
  /// Its own concurrency is refused, its pass_on_logs not looked at.
  worker_options worker = {};
  /// At one moment of the clock: more is taken for a job that runs for ever.
  std::size_t attempts_max = 1000;
  run_options run = {.stack_bytes = 256 * 1024};  ///< where the caller is not on a fiber
};

/// A queue for tests: in memory, with a clock that stands still, and the workers that work it off when the
/// test says so. It needs no file, no thread of the test and no waiting: an hour of retries passes at once.
///
///     jobs::test_kit kit(app);
///     sign_up(kit.queue(), "ada@example.org");
///     kit.assert_pushed(welcome("ada@example.org"));
///     kit.drain().require_success();
///     kit.advance(24h);                                   // schedules, retries and delays, each at its
///     moment
///
/// Jobs run as in production: signed, with services of `app`, by a jobs::worker, one at a time in the order
/// of their claims. In weft::simulate too. What a test expects is an exception where it is not so, and a
/// value else, so that it works with each test framework.
///
/// Thread-safety: the queue and the clock from anywhere; the kit by one task at a time. Lifetime: `app`
/// outlives it.
class test_kit {
 public:
  /// Throws weft::error (invalid_argument) where options.worker has a concurrency of its own.
  explicit test_kit(services& app, test_kit_options options = {});
  test_kit(const test_kit&) = delete;
  test_kit& operator=(const test_kit&) = delete;

  jobs::queue& queue() noexcept { return queue_; }
  test_clock& clock() noexcept { return clock_; }

  /// Runs what is due now, in all queues, until nothing is: also what those jobs push. Jobs for later stay.
  /// Throws weft::error (resource_exhausted) above attempts_max, naming the closure. Of one job the report
  /// has the last 100 attempts. On a fiber it waits there, else in a weft::run of its own.
  drain_report drain();

  /// Moves the clock on by so much, and runs what falls due on the way, each at its moment: delays, retries,
  /// schedules, jobs that waited for a token of a rate. In a test whose time jumps, that time passes for its
  /// other fibers too, and what they push meanwhile runs at its moment. Throws as drain().
  drain_report advance(std::chrono::microseconds by);

  /// Jobs of the store, whatever their state is by now, oldest first.
  std::vector<job_info> pushed();
  std::vector<job_info> pushed(const job_pattern& of);
  /// Those of `weft::function<Function>`.
  template <auto Function>
  std::vector<job_info> pushed() {
    return pushed(weft::function<Function>);
  }

  /// The last one of them. Throws test_failure, with what was pushed, where there is none.
  job_info assert_pushed(const job_pattern& of);
  template <auto Function>
  job_info assert_pushed() {
    return assert_pushed(weft::function<Function>);
  }
  /// Throws test_failure, with what was pushed, unless there are exactly `count` of them; 0: none.
  void assert_pushed(const job_pattern& of, std::size_t count);
  /// Throws test_failure where there is any job.
  void assert_nothing_pushed();

 private:
  /// Moves the clock on, at most to there; less where the bell of the store rings meanwhile.
  void pass(moment to, std::uint64_t heard);
  drain_report work(const std::function<void(jobs::drain&)>& body);
  [[noreturn]] void fail(const std::string& expected);

  services& app_;
  const test_kit_options options_;
  test_clock clock_;
  jobs::queue queue_;
};

}  // namespace weft::inline v1::jobs
