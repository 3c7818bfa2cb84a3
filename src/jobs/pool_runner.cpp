#include "jobs/pool_runner.hpp"

#include <weft/context/cancellation.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>

namespace weft::jobs {
namespace {

closure_outcome too_late() {
  closure_outcome refused;
  refused.error.emplace();
  refused.error->code = errc::deadline_exceeded;
  refused.error->message = "jobs: run on a pool: no thread was free before its time was over";
  refused.error->when = wall_clock::now();
  refused.fault = run_fault::not_begun;
  return refused;
}

}  // namespace

closure_outcome pool_runner::run(const closure_request& request) {
  future<closure_outcome> ended;
  try {
    ended = on_.submit([this, &request] {
      // It may have stood in line for long.
      checkpoint();
      if (steady_clock::now() >= request.deadline) return too_late();
      return in_place_.run(request);
    });
  } catch (const error&) {
    closure_outcome refused;
    refused.error = failure_of_run();
    refused.fault = run_fault::not_begun;
    return refused;
  }
  // The run has the caller's cancellation in its context, and uses what is the caller's until it ends.
  return shield([&] { return ended.get(); });
}

}  // namespace weft::jobs
