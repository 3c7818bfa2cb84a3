#include <weft/fiber/latch.hpp>

#include <mutex>
#include <string>

#include "fiber/contract.hpp"
#include "fiber/wait_served.hpp"

// As in event.cpp, the state is read under guard_ also where it is open, for the sake of waiters that
// destroy the latch.

namespace weft::inline v1 {

void latch::count_down(std::size_t arrivals) noexcept {
  const std::lock_guard guard(guard_);
  if (arrivals > missing_) {
    detail::contract_broken("latch::count_down", "more arrivals than expected: " + std::to_string(arrivals) +
                                                     " where " + std::to_string(missing_) + " were missing");
  }
  missing_ -= arrivals;
  if (missing_ == 0) waiters_.serve_all();
}

bool latch::try_wait() const noexcept { return missing() == 0; }

std::size_t latch::missing() const noexcept {
  const std::lock_guard guard(guard_);
  return missing_;
}

std::size_t latch::waiting() const noexcept {
  const std::lock_guard guard(guard_);
  return waiters_.size();
}

bool latch::wait_open(steady_time until) {
  detail::check_cancelled("latch::wait");
  std::unique_lock guard(guard_);
  return missing_ == 0 || detail::wait_served(waiters_, guard, until, "latch::wait");
}

}  // namespace weft::inline v1
