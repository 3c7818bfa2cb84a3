#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/atomic.hpp>

namespace weft::inline v1 {

/// Runs an initialiser once, for all tasks that ask.
///
/// The first task to call runs it; those that come meanwhile wait for it. The initialiser may wait. When
/// it throws, its caller gets the exception, and the task that waits longest runs its own initialiser.
/// lazy<Value> keeps the value, too.
///
/// Thread-safety: any fiber or thread; what the initialiser did is seen by all whose call has returned.
/// Cancellation: a task that waits for another's initialiser leaves with weft::cancelled; the one that runs
/// it is not disturbed. An initialiser that is cancelled has thrown: the next one tries.
/// Errors: a call from within the initialiser, by the same task, throws weft::error (misuse).
/// Lifetime: outlives every call.
/// Cost: one load once it is done.
class once {
 public:
  constexpr once() noexcept = default;
  once(const once&) = delete;
  once& operator=(const once&) = delete;

  /// Returns when an initialiser has succeeded, in this call or another.
  template <typename Function, typename... Args>
  void call(Function&& initialise, Args&&... args) {
    if (done() || !begin()) return;
    attempt mine(*this);
    std::invoke(std::forward<Function>(initialise), std::forward<Args>(args)...);
    mine.succeeded = true;
  }

  /// Has an initialiser succeeded?
  bool done() const noexcept { return done_.load(std::memory_order_acquire); }

 private:
  struct attempt {
    explicit attempt(once& that) noexcept : of(that) {}
    attempt(const attempt&) = delete;
    attempt& operator=(const attempt&) = delete;
    ~attempt() { of.end(succeeded); }
    once& of;
    bool succeeded = false;
  };

  bool begin();
  void end(bool succeeded) noexcept;

  detail::atomic<bool> done_{false};  // set under guard_
  detail::spin_lock guard_;
  std::uint64_t runner_ = 0;     // guarded by guard_; the task that runs an initialiser, 0: none
  detail::waiter_line waiters_;  // guarded by guard_
};

/// As std::call_once, between tasks.
template <typename Function, typename... Args>
void call_once(once& flag, Function&& initialise, Args&&... args) {
  flag.call(std::forward<Function>(initialise), std::forward<Args>(args)...);
}

}  // namespace weft::inline v1
