#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <weft/closure/closure.hpp>
#include <weft/closure/services.hpp>
#include <weft/core/failure.hpp>
#include <weft/jobs/control.hpp>
#include <weft/jobs/job.hpp>

namespace weft::inline v1::jobs {

/// A run of a job's function without a queue, store or worker: what its jobs::control tells it, and what it
/// asked of it.
///
///     jobs::fake_run run{.attempt = 3};
///     run(import("people.csv"), app);
///     EXPECT_EQ(run.asked_again->wait, 5min);
///
/// Not thread-safe between calls; the function may use its control as everywhere.
struct fake_run {
  /// delay() or backoff() of the control.
  struct another_time {
    std::chrono::microseconds wait{0};
    bool backs_off = false;
    bool operator==(const another_time&) const = default;
  };

  /// push_when_done() of the control.
  struct later_job {
    std::string closure;    ///< its identity
    std::string arguments;  ///< a JSON list, with "(secret)" in place of each secret
    push_options options;
  };

  job_id id{1};
  int attempt = 1;
  int backoffs = 0;  ///< calls of control::backoff by earlier attempts
  moment due{};
  std::chrono::microseconds age{0};        ///< of the job, for the bound of control::delay
  double random = 0;                       ///< 0 to 1: the chance in this run's jitter
  bool in_line = false;                    ///< as queue::run_or_push runs it: no step is kept or found
  std::optional<failure> last_error = {};  ///< what the attempt before ended with
  bool still_mine = true;                  ///< false: another worker holds the job, and no step is kept
  /// What steps have left, by name, as JSON: those of earlier attempts, and then those of this one. With the
  /// bounds that a job has.
  std::map<std::string, std::string> steps = {};

  std::optional<another_time> asked_again = {};  ///< the function's last wish
  std::vector<job_progress> progress = {};       ///< all of it, oldest first
  std::vector<later_job> pushed = {};            ///< in order; of no use where the function throws

  /// Runs the closure here, with services of `from` and this as its control, and returns what it returns.
  /// Throws what it throws. What was asked by a run before is forgotten; the steps stay.
  template <typename Result>
  Result operator()(const closure<Result>& what, services& from) {
    if constexpr (std::is_void_v<Result>) {
      run_with(from, [&](services& task) { what.in(task)(); });
    } else {
      std::optional<Result> returned;
      run_with(from, [&](services& task) { returned.emplace(what.in(task)()); });
      return std::move(*returned);
    }
  }

 private:
  void run_with(services& from, const std::function<void(services&)>& body);
};

}  // namespace weft::inline v1::jobs
