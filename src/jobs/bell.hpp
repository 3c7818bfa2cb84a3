#pragma once

#include <cstdint>
#include <mutex>

#include <weft/context/wait.hpp>

namespace weft::inline v1::jobs {

/// A number that grows at each ring, and a line of tasks that wait for that. Nothing is lost between
/// looking and waiting: a waiter says which number it has seen.
///
/// Thread-safe. A wait observes cancellation by throwing weft::cancelled.
class bell {
 public:
  void ring() {
    const std::lock_guard lock(lock_);
    ++value_;
    listeners_.serve_all();
  }
  std::uint64_t value() {
    const std::lock_guard lock(lock_);
    return value_;
  }
  /// Waits until the number differs from `seen`, at most until `until`; returns the number.
  std::uint64_t wait(std::uint64_t seen, steady_time until) {
    constexpr const char* what = "jobs: wait for work";
    weft::detail::check_cancelled(what);
    std::unique_lock lock(lock_);
    if (value_ != seen) return value_;
    weft::detail::waiter self;
    if (weft::detail::wait_in(listeners_, self, lock, until, what) == weft::detail::wait_outcome::cancelled) {
      lock.unlock();
      weft::detail::throw_cancelled(what);
    }
    return value_;
  }

 private:
  weft::detail::spin_lock lock_;
  weft::detail::waiter_line listeners_;  // guarded by lock_
  std::uint64_t value_ = 1;              // guarded by lock_
};

}  // namespace weft::inline v1::jobs
