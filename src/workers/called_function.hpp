#pragma once

#include <weft/closure/registry.hpp>
#include <weft/closure/runner.hpp>

#include "workers/served_call.hpp"
#include "workers/worker.hpp"

namespace weft::inline v1::workers::detail {

/// A closure cannot run in this worker: it was not begun.
class declined {
 public:
  explicit declined(closure_refusal why) : why_(std::move(why)) {}
  const closure_refusal& why() const noexcept { return why_; }

 private:
  closure_refusal why_;
};

/// Runs what a call names with the arguments it brings; the function may use the call as workers::caller.
/// Gives the encoded result, or throws what the function throws; weft::error (not_found) for a name that is
/// not in the interface; declined.
bytes call_function(const worker_program& program, served_call& call);

}  // namespace weft::inline v1::workers::detail
