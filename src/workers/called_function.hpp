#pragma once

#include <weft/closure/registry.hpp>
#include <weft/closure/runner.hpp>

#include "workers/protocol.hpp"
#include "workers/worker.hpp"

namespace weft::workers::detail {

/// A closure cannot run in this worker: it was not begun.
class declined {
 public:
  explicit declined(closure_refusal why) : why_(std::move(why)) {}
  const closure_refusal& why() const noexcept { return why_; }

 private:
  closure_refusal why_;
};

/// Runs what a call names with the arguments it brings; `link` is for closures that a runner sent.
/// Gives the encoded result, or throws what the function throws; weft::error (not_found) for a name
/// that is not in the interface; declined.
bytes call_function(const worker_program& program, const call_frame& call, run_link& link);

}  // namespace weft::workers::detail
