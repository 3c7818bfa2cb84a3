#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>

#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/unique_function.hpp>

namespace weft::inline v1 {

/// A meeting point for a fixed number of participants, phase after phase.
///
/// A phase ends when as many have arrived as are expected: the last one runs the completion function, then
/// all who wait go on and the next phase begins. latch opens once only.
///
/// Thread-safety: all members, from any fiber or thread. A participant may arrive for the next phase as soon
/// as the last one has arrived for this phase, also while the completion function runs.
/// Cancellation: waits are cancellation points, arrivals are not. An arrival stays counted when the wait
/// after it is cancelled or times out, so the phase ends for the others. Who leaves for good calls
/// arrive_and_drop() in place of the next arrival, or the others wait for it in the next phase.
/// Errors: what the completion function throws is thrown to the one that arrived last, after the phase
/// has ended for all. A wait that must park inside a no_wait_scope throws weft::error (misuse).
/// Contract, always checked: no more arrivals in a phase than expected. A breach ends the program.
/// Lifetime: outlives every call; a participant may destroy it after the last phase, when no other call runs.
class barrier {
 public:
  /// What arrive() gives for wait(): which phase.
  class arrival {
   public:
    arrival(arrival&&) noexcept = default;
    arrival& operator=(arrival&&) noexcept = default;

   private:
    friend class barrier;
    explicit arrival(std::uint64_t phase) noexcept : phase_(phase) {}
    std::uint64_t phase_;
  };

  /// For `expected` participants; `on_phase` may wait, and may be empty. It runs in the context of here and
  /// now, on the task that arrived last, whose context is cause().
  explicit barrier(std::size_t expected, unique_function<void()> on_phase = {});
  barrier(const barrier&) = delete;
  barrier& operator=(const barrier&) = delete;

  /// `arrivals` of this phase. Waits only in the completion function, if it does.
  [[nodiscard]] arrival arrive(std::size_t arrivals = 1);
  /// An arrival, and one participant fewer from the next phase on.
  void arrive_and_drop();
  /// arrive(), then wait().
  void arrive_and_wait() { wait(arrive()); }

  /// Waits for the end of the phase in which `from` was an arrival.
  void wait(arrival&& from) { wait_ended(from.phase_, no_deadline); }
  /// False when `bound` passed first; the arrival stays, and may be waited for again.
  template <typename Rep, typename Period>
  bool wait_for(const arrival& from, std::chrono::duration<Rep, Period> bound) {
    return wait_ended(from.phase_, deadline_after(bound));
  }
  /// False when `until`, a point of any clock, passed first; the arrival stays.
  template <typename Clock, typename Duration>
  bool wait_until(const arrival& from, std::chrono::time_point<Clock, Duration> until) {
    return wait_ended(from.phase_, deadline_at(until));
  }

  /// How many arrivals the phase lacks.
  std::size_t missing() const noexcept;
  /// How many tasks wait now.
  std::size_t waiting() const noexcept;

 private:
  using guard_lock = std::unique_lock<detail::spin_lock>;

  std::uint64_t count(guard_lock& guard, std::size_t arrivals, const char* call);
  void end_phases(guard_lock& guard);
  std::exception_ptr complete() noexcept;
  void serve_ended() noexcept;
  bool wait_ended(std::uint64_t phase, steady_time until);

  // The protocol is at the top of barrier.cpp.
  mutable detail::spin_lock guard_;
  std::size_t expected_;              // guarded by guard_; of the phases that have not begun
  std::size_t missing_;               // guarded by guard_; of the phase that is open
  std::uint64_t ended_ = 0;           // guarded by guard_; number of phases
  bool completing_ = false;           // guarded by guard_
  detail::waiter_line waiters_;       // guarded by guard_
  unique_function<void()> on_phase_;  // used by the one that set completing_
};

}  // namespace weft::inline v1
