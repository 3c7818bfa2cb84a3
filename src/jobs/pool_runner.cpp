#include "jobs/pool_runner.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include <weft/context/cancellation.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr std::chrono::milliseconds shortest_pause{5};
constexpr std::chrono::milliseconds longest_pause{500};

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

std::optional<future<closure_outcome>> pool_runner::submit(const closure_request& request) {
  try {
    return on_.submit([this, &request] {
      // It may have stood in line for long.
      checkpoint();
      if (steady_clock::now() >= request.deadline) return too_late();
      return in_place_.run(request);
    });
  } catch (const error& refused) {
    if (refused.code() != errc::resource_exhausted) throw;
    return std::nullopt;
  }
}

closure_outcome pool_runner::run(const closure_request& request) {
  std::optional<future<closure_outcome>> ended;
  try {
    ended = submit(request);
    // Who waits here keeps its place in the worker, which so claims no more than the pool takes.
    for (auto pause = shortest_pause; !ended; pause = std::min(pause * 2, longest_pause)) {
      if (steady_clock::now() >= request.deadline) return too_late();
      sleep_until(std::min(request.deadline, deadline_after(pause)));
      ended = submit(request);
    }
  } catch (const error&) {
    closure_outcome refused;
    refused.error = failure_of_run();
    refused.fault = run_fault::not_begun;
    return refused;
  }
  // The run has the caller's cancellation in its context, and uses what is the caller's until it ends.
  return shield([&] { return ended->get(); });
}

}  // namespace weft::inline v1::jobs
