#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <weft/closure/run_place.hpp>
#include <weft/closure/runner.hpp>
#include <weft/closure/services.hpp>
#include <weft/executor/executor.hpp>
#include <weft/jobs/control.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/retry.hpp>

namespace weft::inline v1::jobs {

/// Runs a closure at a place, with something around it.
using run_wrapper = std::function<closure_outcome(closure_runner& place, const closure_request& request)>;

/// A queue that shares a worker with others.
struct weighted_queue {
  std::string name;
  int weight = 1;  ///< 1 to 1000
};

/// What becomes of a job whose function ends with an error.
enum class on_uncaught : unsigned char {
  retry,         ///< it is tried again by the retry policy, and dead at last
  log_and_drop,  ///< it has ended: cancelled, with its one failed attempt; neither tried again nor dead
};

struct worker_options {
  std::vector<std::string> queues = {};  ///< in the order they are looked at
  /// Looked at after those, in turns: while each of them has jobs, they share the claims by their weights,
  /// and one without jobs leaves its share to the others. Both empty: the queue's default.
  std::vector<weighted_queue> weighted = {};
  std::size_t concurrency = 10;  ///< attempts at a time, a fiber each
  /// Jobs that may be claimed before a slot is free for them, so that short ones share a transaction. Never
  /// more than are begun within 5 ms by the pace of the last ends; what waits longer than 25 ms goes back to
  /// its queue. A job that comes later with a higher priority begins after them. If the worker dies they
  /// count as jobs that it ran, crashes_max included. Unsaid: 256, but none with a concurrency of 1, which so
  /// keeps the order.
  std::optional<std::size_t> claim_ahead = {};
  retry_policy retry = {};
  /// For attempts that fail, by their timeout as well. Those whose process died, and those that could not be
  /// begun, are tried again in any case.
  jobs::on_uncaught on_uncaught = jobs::on_uncaught::retry;
  /// Workers, and worker processes, that may die under a job until it is quarantined.
  int crashes_max = 3;
  std::chrono::milliseconds heartbeat{2000};  ///< how often this worker says that it lives
  int missed_beats_max = 5;                   ///< beats another host's worker may miss until it is dead
  /// For all queues of the store. One of its workers deletes for all, by its own options: say the same in
  /// all.
  job_retention retention = {};
  std::chrono::milliseconds poll_interval{1000};  ///< looks for work at least that often
  /// What runs at stop() may go on for so long; then it is cancelled. It is waited for even so: an attempt on
  /// a fiber or a pool that neither waits nor asks whether it is cancelled keeps run() from returning.
  std::chrono::milliseconds stop_grace{10'000};
  /// Jobs that nobody has signed are run from these queues, of the closures with these names only, and
  /// quarantined else. Whoever can write the database, or push there, can run those with any arguments, so
  /// they must take each argument as a stranger's. For programs in other languages.
  /// The queues are some that it serves.
  std::map<std::string, std::vector<std::string>, std::less<>> unsigned_jobs = {};
  bool pass_on_logs = true;   ///< records of attempts also go to the sinks
  bool durable_ends = false;  ///< ends of attempts wait for the disk; else a power cut may repeat some
  /// Where attempts run of closures that do not say it (placed_closure): in the place of their queue, else in
  /// this one. Unsaid: on a fiber. The queues are some that it serves.
  run_place place = run_place::fiber;
  std::map<std::string, run_place, std::less<>> place_of_queue = {};
  /// For run_place::pool; outlives the worker. None: a pool of its own, with a thread for each attempt.
  std::optional<executor> pool = {};
  /// For run_place::workers: a workers::worker_runner. Null: closures that say it are not claimed here, and
  /// worker_statistics::unroutable counts their jobs.
  closure_runner* workers = nullptr;
  /// Called for each attempt, on its fiber, instead of the runner of its place, which it gets, and which it
  /// runs: to measure, to count, to bound. On several fibers at once; what it refers to outlives the worker.
  /// What it throws is an error of the attempt.
  run_wrapper around = {};
};

/// What may be changed of a worker that works; what is unsaid stays as it is.
struct worker_changes {
  /// In the place of worker_options::queues. Of others it claims nothing more; what it holds of them and has
  /// not begun is ready again.
  std::optional<std::vector<std::string>> queues = {};
  /// In the place of worker_options::unsigned_jobs and place_of_queue, for the queues that it serves from
  /// here on, of which the maps name some. What was said of a queue that left stays: its last jobs may be
  /// about to begin, and it holds again where the queue is back and nothing else is said.
  std::optional<std::map<std::string, std::vector<std::string>, std::less<>>> unsigned_jobs = {};
  std::optional<std::map<std::string, run_place, std::less<>>> place_of_queue = {};
  /// With fewer, those that run go on, and no more begin. A pool that the worker made itself has as many
  /// threads at most.
  std::optional<std::size_t> concurrency = {};
  std::optional<retry_policy> retry = {};  ///< of attempts that end from here on
  std::optional<std::chrono::milliseconds> stop_grace = {};
};

/// Figures of a worker since it was made.
struct worker_statistics {
  std::uint64_t done = 0;
  std::uint64_t failed = 0;   ///< attempts that ended with an error, the last ones included
  std::uint64_t delayed = 0;  ///< attempts that asked for another time
  std::uint64_t dead = 0;
  std::uint64_t dropped = 0;  ///< by on_uncaught::log_and_drop; they are in `failed`, too
  std::uint64_t crashed = 0;  ///< attempts whose worker process died
  std::uint64_t quarantined = 0;
  std::uint64_t refused = 0;     ///< envelopes that were not run
  std::uint64_t stale = 0;       ///< results discarded, because another worker held the job by then
  std::uint64_t given_back = 0;  ///< claimed ahead of a free slot, and given back to the queue
  std::size_t unroutable = 0;    ///< claim_result::unroutable of the last claim
};

/// Runs the jobs of a queue: claims them, runs each attempt on a fiber of its own, or where it is to run,
/// with the services of `app` and a jobs::control, and keeps what came of it with the attempt's log.
///
/// An attempt that returns makes the job done. One that throws is tried again by the retry policy until
/// the job is dead; each such error is one critical log record. Bad signatures are quarantined, not run.
/// A lease is kept up by a thread of its own, and the jobs of dead workers are taken over.
///
/// Thread-safety: run() and run_due() on one fiber at a time; change(), stop() and statistics() from
/// anywhere. Lifetime: the queue, the services, the pool and the runner outlive it.
class worker {
 public:
  /// Joins the store. Logs a warning for each closure of this program that is to run in this process and
  /// whose services `app` lacks: its jobs are put back for a minute at a time. Throws weft::error too
  /// (invalid_argument): jobs of its queues are to run in worker processes, and `workers` is null; a place is
  /// for a queue that it does not serve; unsigned_jobs name one, or a closure that this program does not
  /// have.
  worker(queue& from, services& app, worker_options options = {});
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  /// Leaves the store: what is claimed but was not finished is ready again at once.
  ~worker();

  /// Works until stop(), then waits for what runs: for stop_grace, after which it is cancelled, and goes
  /// back to its queue. Cancelled itself, it cancels what runs and throws weft::cancelled when it is over.
  void run();

  /// Runs what is due now until nothing is left, and returns how many attempts that took. For tests
  /// and one-shot tools. After stop() nothing more is started. Cancellation as run().
  std::size_t run_due();

  /// Works by other options from here on: other queues from the next claim on, which comes at once, all else
  /// now. Never waits for the store. Throws weft::error (invalid_argument) as the constructor does for a
  /// place of a queue and for unsigned_jobs; where it throws, also for want of memory or as
  /// metrics::registry, nothing is changed.
  void change(worker_changes to);

  /// Makes run() return. Never waits; may be called again.
  void stop() noexcept;

  worker_id id() const noexcept;
  worker_statistics statistics() const;

 private:
  class state;
  std::unique_ptr<state> state_;
};

}  // namespace weft::inline v1::jobs
