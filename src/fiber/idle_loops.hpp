#pragma once

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include <weft/core/atomic.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/spin_lock.hpp>

namespace weft::inline v1::detail {

template <typename Loop>
class idle_loops;

/// What a loop that wants to sleep is told: may it, and until when at most.
struct loop_rest {
  bool allowed = false;
  steady_time until = no_deadline;
};

/// One loop's part in idle_loops.
class idle_state {
 public:
  /// Any thread. In one total order with what was brought to the loop.
  bool sleeps() const noexcept { return sleeping_.load(std::memory_order_seq_cst); }
  /// Was it roused to look for work, and has not done so yet? Says so once. The loop's own thread, while it
  /// does not sleep.
  bool take_search() noexcept { return std::exchange(searches_, false); }

 private:
  template <typename Loop>
  friend class idle_loops;
  atomic<bool> sleeping_{false};  // written under the lock of idle_loops
  bool searches_ = false;         // set under that lock, while the loop sleeps
};

/// Which loops of a run sleep, and whether the run is over.
///
/// A loop that has nothing to do sets its sleeping flag and raises the count, both under lock_, and only
/// if nothing came meanwhile; whoever wakes it takes both back under the same lock and then rings. So the
/// count is exact, and the loop that is the last one to lie down decides, under the lock, what becomes of
/// the run.
///
/// Whoever brings something to a loop does so before he looks at its flag, and the loop sets the flag before
/// it looks for the last time at what was brought: either it sees that, or it is roused. A ring that comes
/// before the loop sleeps ends the sleep at once.
///
/// `Loop` has idle(), has_remote_wakes(), has_ready() and ring(), as scheduler does.
template <typename Loop>
class idle_loops {
 public:
  using lock = std::unique_lock<spin_lock>;

  /// `loops` outlives this, and is constant while they run.
  explicit idle_loops(const std::vector<Loop*>& loops) noexcept : loops_(loops) {}

  bool over() const noexcept { return over_.load(std::memory_order_acquire); }
  /// Of a run that never began.
  void end_unrun() noexcept { over_.store(true, std::memory_order_release); }

  /// How many loops sleep; any thread, out of date at once.
  std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  /// Does one sleep? A read-modify-write, though it changes nothing: a loop that lies down afterwards sees
  /// what the caller wrote before.
  bool any_after_writes() noexcept { return count_.fetch_add(0, std::memory_order_acq_rel) != 0; }

  /// `loop` has nothing to do. If it is the last one, `all_sleep(lock&)` says what it is told, and may call
  /// end_run() or call_off(). Its own thread; after a rest that is allowed, get_up().
  template <typename Decide>
  loop_rest lie_down(Loop& loop, Decide&& all_sleep) {
    lock held(lock_);
    if (over()) return {};
    loop.idle().sleeping_.store(true, std::memory_order_seq_cst);
    count_.fetch_add(1, std::memory_order_acq_rel);
    if (loop.has_remote_wakes() || loop.has_ready()) {
      wake_up(loop);
      return {};
    }
    if (count() == loops_.size()) return all_sleep(held);
    return {true};
  }
  void get_up(Loop& loop) noexcept {
    const std::lock_guard held(lock_);
    if (loop.idle().sleeps()) wake_up(loop);
  }

  /// The last loop, which decides, stays up. Gives the lock back.
  void call_off(lock& held, Loop& last) noexcept {
    wake_up(last);
    held.unlock();
  }
  /// The last loop, which decides, ends the run. Gives the lock back.
  void end_run(lock& held, Loop& last) noexcept {
    over_.store(true, std::memory_order_release);
    call_off(held, last);
    for (Loop* const loop : loops_) {
      if (loop != &last) rouse(*loop);
    }
  }

  /// If `loop` sleeps, ends that. Any thread.
  void rouse(Loop& loop) noexcept {
    if (!loop.idle().sleeps()) return;
    {
      const std::lock_guard held(lock_);
      if (!loop.idle().sleeps()) return;
      wake_up(loop);
    }
    loop.ring();
  }
  /// If `loop` sleeps, ends that, and it will look for work.
  bool rouse_to_search(Loop& loop) noexcept {
    {
      const std::lock_guard held(lock_);
      if (!loop.idle().sleeps()) return false;
      wake_up(loop);
      loop.idle().searches_ = true;
    }
    loop.ring();
    return true;
  }

 private:
  void wake_up(Loop& loop) noexcept {
    loop.idle().sleeping_.store(false, std::memory_order_seq_cst);
    count_.fetch_sub(1, std::memory_order_acq_rel);
  }

  const std::vector<Loop*>& loops_;
  spin_lock lock_;
  atomic<std::size_t> count_{0};  // written under lock_
  atomic<bool> over_{false};      // written under lock_
};

}  // namespace weft::inline v1::detail
