#pragma once

#include <weft/core/stack_trace.hpp>

#include "fiber/stack.hpp"

namespace weft::inline v1::detail {

class fiber_block;
class scheduler;

/// A look at the stacks of parked fibers, while it lives; at most one for a scheduler at a time.
///
/// The asker switches to the parked fiber, which finds itself back in scheduler::suspend() with an
/// inspection going on, takes its own stack trace there, and switches back: it has had no turn.
/// So every unwinder and every sanitizer sees what it always sees. On the scheduler's thread only, where
/// nothing else can run in between.
class inspection {
 public:
  explicit inspection(scheduler& here) noexcept;
  inspection(const inspection&) = delete;
  inspection& operator=(const inspection&) = delete;
  ~inspection();

  /// The calls that led `parked` to its wait. It has started, does not run, and lives on this scheduler.
  stack_trace trace_of(fiber_block& parked) noexcept;

  /// On the fiber that was asked: takes the trace and goes back to the asker.
  void answer() noexcept;

 private:
  scheduler& here_;
  stack_record& asker_;
  stack_record* asked_ = nullptr;
  stack_trace trace_;
};

}  // namespace weft::inline v1::detail
