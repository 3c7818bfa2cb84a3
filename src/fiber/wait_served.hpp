#pragma once

#include <mutex>

#include <weft/context/wait.hpp>

namespace weft::inline v1::detail {

/// Waits in `line`, for primitives that have nothing to put right when a waiter gives up. False when
/// `until` passed; throws weft::cancelled. Leaves `lock` released, also when it throws.
inline bool wait_served(waiter_line& line, std::unique_lock<spin_lock>& lock, steady_time until,
                        const char* what) {
  waiter self;
  const auto outcome = wait_in(line, self, lock, until, what);
  lock.unlock();
  if (outcome == wait_outcome::cancelled) throw_cancelled(what);
  return outcome == wait_outcome::served;
}

}  // namespace weft::inline v1::detail
