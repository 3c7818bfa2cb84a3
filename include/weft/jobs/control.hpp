#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <string_view>

#include <weft/closure/services.hpp>
#include <weft/jobs/job.hpp>
#include <weft/jobs/retry.hpp>

namespace weft {
class run_link;
}

namespace weft::jobs {

/// The run of a job, for the function that runs: a parameter `jobs::control&` of a closure.
///
/// Used by the task that runs the attempt, and by what it starts and joins; it lives as long as the
/// attempt. It works the same in the queue's worker and in a worker process that runs the attempt.
class control {
 public:
  /// Made for each attempt; see add_control. `link` leads to the queue's worker.
  explicit control(run_link& link);
  control(const control&) = delete;
  control& operator=(const control&) = delete;

  job_id id() const noexcept { return id_; }
  /// 1 for the first attempt. Delays and crashes of a worker do not count.
  int attempt() const noexcept { return attempt_; }
  /// The moment that the job was pushed for: of a schedule, the time that it was due.
  moment due() const noexcept { return due_; }
  /// Is this the run of queue::run_or_push in its caller, which may become a job?
  bool in_line() const noexcept { return in_line_; }

  /// Asks for another attempt in `wait`, once the function has returned; spends no attempt. The last
  /// wish holds; an exception that leaves the function afterwards overrides it. A cancellation point.
  void delay(std::chrono::microseconds wait);

  /// The same with a wait that grows from call to call of this job: base^0, base^1 ... base^max_exponent
  /// seconds, exactly. The call after the last one throws retries_exceeded, with `last_error` nested.
  void backoff(int max_exponent, std::exception_ptr last_error = std::current_exception(), int base = 2);

  /// Shows people how far the attempt is: `done` of `total`, 0 where that is not known. Cheap enough for a
  /// loop: at most ten a second are kept, and those in which `done` reaches `total`. Waits for the store
  /// when it is kept; a cancellation point.
  void progress(std::int64_t done, std::int64_t total, std::string_view note = {});

  /// Was this attempt asked to give up?
  bool cancelled() const noexcept;
  /// Does the worker still hold the job? Waits for the store. Ask before an effect that must not
  /// happen twice: another worker takes a job over from one that was taken for dead.
  bool still_mine() const;

 private:
  run_link& link_;
  job_id id_{};
  int attempt_ = 1;
  moment due_{};
  bool in_line_ = false;
  int backoffs_ = 0;  // calls by earlier attempts that asked for another time
};

/// Lets closures that run with services of `app` ask for `jobs::control&`. A jobs::worker does it for its
/// own container; call it where worker processes set up theirs. Again it has no effect.
void add_control(services& app);

}  // namespace weft::jobs
