#include "executor/cancel_desk.hpp"

#include <memory>
#include <utility>

#include <weft/core/oracle.hpp>
#include <weft/core/started_thread.hpp>

#include "executor/process_wide.hpp"

namespace weft::inline v1::detail {

cancel_desk& cancel_desk::get() {
  static process_wide<cancel_desk> desk;
  return desk.get([] { return std::make_unique<cancel_desk>(); });
}

cancel_desk::cancel_desk() noexcept : ends_(oracle::current() != nullptr) {}

void cancel_desk::enter() {
  if (ends_) {
    const std::lock_guard lock(lock_);
    ++tasks_;
  }
  if (has_thread_.load(std::memory_order_relaxed) || has_thread_.exchange(true)) return;
  try {
    started_thread("weft-cancel", thread_signals::inherited, [this] { serve(); }).detach();
  } catch (...) {
    has_thread_ = false;
    leave();
    throw;
  }
}

void cancel_desk::leave() noexcept {
  if (!ends_) return;
  const std::lock_guard lock(lock_);
  if (--tasks_ == 0) thread_waits_.serve_all();
}

void cancel_desk::add(carried_task& one_ref) noexcept {
  const std::lock_guard lock(lock_);
  one_ref.next_at_desk_ = std::exchange(first_, &one_ref);
  thread_waits_.serve_all();
}

void cancel_desk::serve() noexcept {
  std::unique_lock lock(lock_);
  for (;;) {
    while (first_ != nullptr) {
      carried_task* const one = first_;
      first_ = one->next_at_desk_;
      lock.unlock();
      one->serve_at_desk();
      lock.lock();
    }
    if (ends_ && tasks_ == 0) break;
    waiter self;
    wait_in(thread_waits_, self, lock, no_deadline, "cancel_desk: wait for a cancelled task", false);
  }
  has_thread_ = false;
}

}  // namespace weft::inline v1::detail
