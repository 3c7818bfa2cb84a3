#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include <weft/context/wait.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/fiber/timer.hpp>

#include "fiber/scheduler.hpp"

namespace weft::inline v1::detail {

/// The timers that were armed on one loop. Lives as long as the loop or one of its timers.
///
/// lock_ guards every record and every field here. The wheel is the loop's and touched on its thread only.
///
/// A record is active from arm() until one of these clears active_ under the lock: its one tick starts, it
/// is cancelled, a tick is the last one, or the loop ends. An active record is in the wheel and in the
/// line active_. References (refs_): the handle, the wheel, a running tick, and who lists.
///
/// The function belongs to a tick while calling_ is set. Whoever makes "neither active nor calling" true
/// ends the function, after he has given the lock back: no one else can use it any more.
///
/// Cancelled on another thread, a record stays in the wheel and goes into the line dead_, and the loop is
/// asked, once for all that come meanwhile, to take it out (sweep). If it comes due before, it does nothing.
/// The loop cannot go before the lock is given back: close() takes it first.
///
/// Arming and ending are in timer_home.cpp, ticks in timer_fire.cpp, the list of all in timer_list.cpp.
class timer_home {
 public:
  timer_home(const timer_home&) = delete;
  timer_home& operator=(const timer_home&) = delete;

  /// That of the running fiber's loop. Throws weft::error (no_scheduler).
  static timer_home& here();

  /// Takes over one reference, for the wheel; the other one is the caller's.
  void arm(timer_record& timer, steady_time due) noexcept;
  bool cancel(timer_record& timer, bool ask_tick) noexcept;
  /// Waits until no tick of it is left; returns at once on its own tick.
  void wait_idle(timer_record& timer, const char* what, bool cancellable);
  bool is_active(const timer_record& timer) noexcept;
  timer_info info(timer_record& timer);
  void release(timer_record& timer) noexcept;

  static std::vector<timer_info> list();
  static timer_statistics statistics() noexcept;

  /// The function of a tick has ended, or was not run; `last`: there shall be no other.
  void call_over(timer_record& timer, bool last) noexcept;
  /// Nothing is left of a tick.
  void tick_over(timer_record& timer) noexcept;
  void fire(timer_record& timer) noexcept;
  /// The loop is about to end; no fiber is left.
  void close() noexcept;

 private:
  using guard = std::unique_lock<spin_lock>;
  explicit timer_home(scheduler& loop);
  ~timer_home() = default;
  void enlist() noexcept;
  void leave_list() noexcept;
  void end_active(timer_record& timer) noexcept;
  void leave_wheel(timer_record& timer) noexcept;
  void drop_hold(const timer_record& timer) noexcept;
  void start_tick(timer_record& timer) noexcept;
  void sweep() noexcept;
  void post_sweep() noexcept;
  bool collect(std::vector<timer_record*>& into) noexcept;
  static bool is_own_tick(const timer_record& timer) noexcept;

  spin_lock lock_;
  scheduler* loop_;  // null once it has ended
  const steady_time epoch_;
  timer_record* active_ = nullptr;
  timer_record* dead_ = nullptr;
  bool sweep_posted_ = false;
  std::size_t records_ = 0;  // that exist
  std::size_t holds_ = 0;    // active ones that keep the run
  waiter_line idle_;         // who waits for the end of a tick of any timer
  timer_statistics figures_;
  timer_home* next_home_ = nullptr;  // guarded by the lock of the list
};

}  // namespace weft::inline v1::detail
