#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/core/clock.hpp>
#include <weft/fiber/condition.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/jobs/store.hpp>
#include <weft/jobs/view.hpp>

namespace weft::inline v1::dashboard {

/// How the queues were at one moment, and what was done since the one before.
struct sample {
  std::int64_t at = 0;  ///< milliseconds since 1970
  std::int64_t ready = 0;
  std::int64_t scheduled = 0;
  std::int64_t blocked = 0;
  std::int64_t running = 0;
  double done = 0;                     ///< a second
  double failed = 0;                   ///< given up for good, a second
  std::optional<double> wait;          ///< milliseconds from ready to begun, the middle one of some new ones
  std::optional<double> wait_longest;  ///< of the slowest twentieth
  std::optional<double> run;           ///< the same of attempts
  std::optional<double> run_longest;
};
WEFT_DESCRIBE(sample, at, ready, scheduled, blocked, running, done, failed, wait, wait_longest, run,
              run_longest);

/// What the overview shows.
struct overview {
  std::string now;
  jobs::shown_stats stats;
  std::vector<sample> samples;         ///< oldest first
  std::optional<std::string> problem;  ///< why the store cannot be looked at now
};
WEFT_DESCRIBE(overview, now, stats, samples, problem);

/// Looks at the store now and then, for all who watch, and remembers the last minutes. Thread-safe.
class sampler {
 public:
  static constexpr std::size_t samples_max = 450;

  /// All outlive it.
  sampler(jobs::store& of, const jobs::clock& clock) : store_(of), clock_(clock) {}

  /// Looks once. Waits for the store; what that throws becomes the `problem`.
  void look();
  /// The newest look, with samples that are later than that (milliseconds since 1970).
  overview shown(std::int64_t samples_after);
  /// Waits until there is a newer look than `seen`, at most until `until`. Gives its number.
  std::uint64_t wait_newer(std::uint64_t seen, steady_time until);

 private:
  struct totals {
    std::int64_t done = 0;
    std::int64_t failed = 0;
  };
  sample made_of(const jobs::shown_stats& stats, jobs::moment now, steady_time at);
  void measure_new(sample& into);

  jobs::store& store_;
  const jobs::clock& clock_;
  std::set<jobs::job_id> measured_;  // the newest done jobs, by the fiber that looks
  std::optional<totals> before_;     // the same
  steady_time before_at_;            // the same
  mutex mutex_;
  condition changed_;
  std::uint64_t looks_ = 0;     // guarded by mutex_
  overview newest_;             // guarded by mutex_; its samples are in samples_
  std::deque<sample> samples_;  // guarded by mutex_
};

}  // namespace weft::inline v1::dashboard
