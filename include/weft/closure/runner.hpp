#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <weft/closure/closure.hpp>
#include <weft/closure/registry.hpp>
#include <weft/codec/failure.hpp>
#include <weft/codec/secret.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/core/clock.hpp>
#include <weft/log/record.hpp>

namespace weft::inline v1 {

/// Where a run talks to the one who asked for it, wherever that is: the run objects of its place (the
/// control of a job, say) are made from it. The runner offers it as a service, so that such an object
/// is an ordinary per_task service: `app.add<control>([](run_link& link) { ... }, {.scope = per_task})`.
class run_link {
 public:
  virtual ~run_link();
  /// What the asker tells the run object of that name about this run, encoded as they agreed; empty
  /// for nothing.
  virtual std::string about(std::string_view object) = 0;
  /// Sends a message of that run object to the asker and waits for the answer; a cancellation point. In a
  /// worker throws weft::error (resource_exhausted) where 16 questions of this run were cancelled that the
  /// asker has not answered yet; so does about().
  virtual std::string ask(std::string_view object, std::string_view message) = 0;
};

/// A closure to run, as written down.
struct closure_request {
  std::string identity;                ///< closure_identity::text
  std::string arguments = "[]";        ///< a JSON list
  std::string context;                 ///< context::to_wire; empty for none
  steady_time deadline = no_deadline;  ///< ends the run with the failure deadline_exceeded
  run_link* link = nullptr;            ///< null where nobody listens; outlives the run
};

/// What the error of a run is about.
enum class run_fault : unsigned char {
  own,        ///< the function threw, or its time was over
  not_begun,  ///< the place was full, or could not be made: it did not run, and may elsewhere or later
  died,       ///< the place died under it, by its fault as it seems
};

/// What came of it: exactly one of result, error and refusal.
struct closure_outcome {
  std::optional<std::string> result;       ///< as JSON; `null` for void
  std::optional<failure> error;            ///< it ran and failed, or its place did (a worker died)
  std::optional<closure_refusal> refusal;  ///< it cannot run there; it was not begun
  run_fault fault = run_fault::own;        ///< of the error
  log::collection log;                     ///< what the run wrote, for the asker to merge
};

/// One way to run closures: in place, on a pool, in a worker process.
///
/// The run has the request's context and nothing else of the caller's, its deadline, and services of
/// a child container of its own. Errors of the closure are in the outcome, of whatever kind they are.
/// A runner that waits is a cancellation point: cancelled, it asks the run to give up and throws
/// weft::cancelled when the run has ended. Thread-safe.
class closure_runner {
 public:
  virtual ~closure_runner();
  virtual closure_outcome run(const closure_request& request) = 0;
  /// For people: "in place", ...
  virtual std::string_view name() const noexcept = 0;
};

/// Runs closures here and now, on the task that asks.
class in_place_runner final : public closure_runner {
 public:
  /// `app` outlives the runner.
  explicit in_place_runner(services& app) : app_(&app) {}
  closure_outcome run(const closure_request& request) override;
  std::string_view name() const noexcept override { return "in place"; }

 private:
  services* app_;
};

namespace detail {
/// The bindings of `given`, under what can cancel the running task.
context under_caller(const context& given);
}  // namespace detail

/// Describes the exception in flight as the outcome of a run: a failure, also for exit and
/// cancellation. Call in a handler.
failure failure_of_run();

/// The closure as written down, with the running task's context as far as it may travel by `hop`, and
/// its deadline.
template <typename Result>
closure_request request_of(const closure<Result>& what, wire_policy hop) {
  const secrets_in_clear for_its_run;
  return {what.identity().text(), what.arguments(), context::capture().to_wire(hop),
          deadline().value_or(no_deadline), nullptr};
}

}  // namespace weft::inline v1
