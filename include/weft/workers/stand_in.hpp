#pragma once

#include <functional>
#include <memory>

#include <weft/closure/runner.hpp>
#include <weft/core/clock.hpp>
#include <weft/workers/call_request.hpp>
#include <weft/workers/call_stream.hpp>
#include <weft/workers/running_call.hpp>

namespace weft::inline v1::workers {

/// The seam for tests: what answers the calls of a client in the place of worker processes
/// (client_options::stand_in). testing::fake_workers is one.
///
/// The pool does all else as ever: lines, bounds, checkouts, statistics. A call that throws worker_died,
/// call_timed_out or worker_exited has cost its worker. Called from any task.
class stand_in {
 public:
  virtual ~stand_in() = default;
  /// A worker is wanted. Throws start_failed where none can be had.
  virtual void start() = 0;
  /// A call, on the task that made it; waits at most until then. `on_progress` may be empty.
  virtual detail::call_answer call(const detail::call_request& request, steady_time until,
                                   const std::function<void(const progress&)>& on_progress) = 0;
  /// A call that goes on beside its caller; `request` is of this function only.
  virtual std::unique_ptr<detail::started_call> begin(
      const detail::call_request& request, steady_time until,
      const std::function<void(const progress&)>& on_progress) = 0;
  /// A written closure, of a job mostly; its errors are in the outcome, but for those that cost the worker.
  virtual closure_outcome run(const closure_request& request) = 0;
};

}  // namespace weft::inline v1::workers
