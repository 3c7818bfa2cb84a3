#include <weft/fiber/scope.hpp>

#include <mutex>
#include <utility>

namespace weft {

namespace {

bool is_cancellation(const std::exception_ptr& thrown) noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (const cancelled&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

scope::~scope() {
  if (running_.count() == 0) return;
  cancel_.cancel(cancel_reason::sibling);
  shield([this] { running_.wait(); });
}

void scope::join() {
  std::exception_ptr given_up;
  try {
    running_.wait();
  } catch (const cancelled& stop) {
    // Ours by cancel() or by a failed child, or that of the surroundings, which the next wait outside
    // sees again: cancellation is sticky.
    given_up = std::current_exception();
    cancel_.cancel(stop.reason());
    shield([this] { running_.wait(); });
  }
  std::unique_lock lock(lock_);
  const std::exception_ptr error = std::exchange(first_error_, nullptr);
  const bool ours = cancelled_here_;
  lock.unlock();
  if (error != nullptr) std::rethrow_exception(error);
  if (given_up != nullptr && !ours) std::rethrow_exception(given_up);
}

void scope::cancel(cancel_reason reason) noexcept {
  {
    const std::lock_guard lock(lock_);
    cancelled_here_ = true;
  }
  cancel_.cancel(reason);
}

void scope::child_failed(std::exception_ptr error) noexcept {
  // A child that gave up because it was asked to has not failed.
  if (is_cancellation(error) && cancel_.is_cancelled()) return;
  {
    const std::lock_guard lock(lock_);
    if (first_error_ == nullptr) first_error_ = std::move(error);
  }
  cancel_.cancel(cancel_reason::sibling);
}

}  // namespace weft
