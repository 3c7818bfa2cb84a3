#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/closure/services.hpp>
#include <weft/core/failure.hpp>
#include <weft/jobs/job.hpp>
#include <weft/jobs/pushed_closure.hpp>
#include <weft/jobs/retry.hpp>
#include <weft/wire/json.hpp>

namespace weft::inline v1 {
class run_link;
}

namespace weft::inline v1::jobs {

/// How the waits of control::backoff grow.
struct backoff_options {
  int base = 2;  ///< at least 1
  /// 0 to 1: of each wait, up to so much is added to it, by chance. Without it the schedule is exact.
  double jitter = 0;
};

/// How long control::delay may go on.
struct delay_options {
  /// Bound on the age of the job, from control::due(): what would begin later is given up. None: no bound.
  std::optional<std::chrono::microseconds> age_max = {};
};

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
  /// What the attempt before ended with: class, text, moment and causes. That of a backoff is the error that
  /// it was given; nothing where it ended without one, and in the first attempt. Waits for the store; a
  /// cancellation point. Throws weft::error as the store does.
  std::optional<failure> last_error() const;
  /// Is this the run of queue::run_or_push in its caller, which may become a job?
  bool in_line() const noexcept { return in_line_; }

  /// Asks for another attempt in `wait`, once the function has returned; spends no attempt. The last
  /// wish holds; an exception that leaves the function afterwards overrides it. Where the next attempt would
  /// begin past `age_max`, throws job_too_old, with `last_error` nested. A cancellation point.
  void delay(std::chrono::microseconds wait, const delay_options& options = {},
             std::exception_ptr last_error = std::current_exception());

  /// The same with a wait that grows from call to call of this job: base^0, base^1 ... base^max_exponent
  /// seconds, exactly. The call after the last one throws retries_exceeded, with `last_error` nested.
  void backoff(int max_exponent, std::exception_ptr last_error = std::current_exception(), int base = 2) {
    backoff(max_exponent, backoff_options{.base = base}, std::move(last_error));
  }
  /// The same with jitter: jobs that failed together do not come back together. Chance is drawn from the
  /// queue's seed (queue_options::jitter_seed), the job and the run, so a test that sets it knows the waits.
  void backoff(int max_exponent, const backoff_options& options,
               std::exception_ptr last_error = std::current_exception());

  /// Shows people how far the attempt is: `done` of `total`, 0 where that is not known. Cheap enough for a
  /// loop: at most ten a second are kept, and those in which `done` reaches `total`. Waits for the store
  /// when it is kept; a cancellation point.
  void progress(std::int64_t done, std::int64_t total, std::string_view note = {});

  /// Runs `f` and keeps what it returns, durably, before this returns: a later attempt of the job gets that
  /// and does not run `f` again. So a job of several steps goes on behind the last one that was done. A
  /// process that ends between `f` and the store runs it again: at least once, as jobs are.
  ///
  ///     const auto order = job.checkpoint("charge", [&] { return bank.charge(amount, job.id()); });
  ///
  /// A name stands for one step of the job, whatever the arguments of `f` are: 1 to 128 bytes. At most 1000
  /// steps of a job, of 256 KiB as JSON, are kept, as long as the job is. Waits for the store; a
  /// cancellation point before `f`: what `f` returned is kept also by an attempt that was cancelled.
  /// Throws what `f` throws, and weft::error: refused (another worker holds the job by now), too_large,
  /// resource_exhausted, malformed (what is kept is of another type). A run in line keeps nothing.
  template <typename F>
  std::invoke_result_t<F&> checkpoint(std::string_view name, F&& f) {
    using value = std::invoke_result_t<F&>;
    const auto kept = kept_step(name);
    if constexpr (std::is_void_v<value>) {
      if (kept) return;
      f();
      keep_step(name, "null");
    } else {
      if (kept) return wire::from_json<value>(*kept);
      value made = f();
      keep_step(name, wire::to_json(made));
      return made;
    }
  }

  /// Pushes a job with the end of this attempt, in the same transaction, if that makes this job done: then
  /// both are on disk, or neither. Nothing is pushed where the attempt fails, asks for another time (delay,
  /// backoff; the next attempt pushes anew), is cancelled, or has lost its claim to another worker. The job
  /// is signed like any other, has the context of this call, and goes to the default queue of the worker's
  /// queue unless it says another; its delay counts from the end. In line, it is pushed when the function has
  /// returned.
  ///
  /// A cancellation point. Throws weft::error as queue::push does, and resource_exhausted for more than
  /// pushes_max (control_messages.hpp). Where the store refuses it at the end (a job that `after` names is
  /// not there), the attempt has failed with that.
  template <typename Result>
  void push_when_done(const closure<Result>& what, const push_options& options = {}) {
    push_described(detail::describe_closure(what), options);
  }

  /// Was this attempt asked to give up?
  bool cancelled() const noexcept;
  /// Does the worker still hold the job? Waits for the store. Ask before an effect that must not
  /// happen twice: another worker takes a job over from one that was taken for dead.
  bool still_mine() const;

 private:
  void push_described(const detail::pushed_closure& what, const push_options& options) const;
  std::optional<std::string> kept_step(std::string_view name) const;
  void keep_step(std::string_view name, std::string json) const;

  run_link& link_;
  job_id id_{};
  int attempt_ = 1;
  moment due_{};
  bool in_line_ = false;
  int backoffs_ = 0;  // calls by earlier attempts that asked for another time
  double random_ = 0;
};

/// Lets closures that run with services of `app` ask for `jobs::control&`. A jobs::worker does it for its
/// own container; call it where worker processes set up theirs. Again it has no effect.
void add_control(services& app);

}  // namespace weft::inline v1::jobs
