#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <weft/core/clock.hpp>
#include <weft/metrics/histogram.hpp>

namespace weft::inline v1::detail {

/// What a loop shows of itself to other threads, who must not touch its lines, stacks and timers.
struct loop_figures {
  std::size_t ready = 0;   ///< fibers in line that have started
  std::size_t stacks = 0;  ///< made
  std::size_t stacks_in_use = 0;
  std::size_t stacks_idle = 0;    ///< free, with their memory
  std::size_t stack_touched = 0;  ///< most bytes of one stack, of those that were looked at
  std::size_t timers = 0;         ///< armed
};

/// Measures one loop, for statistics() and the metrics.
///
/// A turn is too short to copy figures in each. They are copied once in a millisecond, before the loop
/// sleeps, and when the loop's own thread asks.
///
/// The lag of a loop is how long a fiber that becomes ready waits for those in line before it. It takes no
/// clock but that of the loop's turns: a mark is put behind the last fiber in line, and when the front of the
/// line is behind the mark, at the beginning of a later turn or before the loop sleeps, the time between is a
/// lag. Of the lags within a millisecond the longest is recorded.
///
/// Everything belongs to the home thread but what figures() reads.
class loop_meter {
 public:
  /// The front of a line without fibers.
  static constexpr std::int64_t nobody = std::numeric_limits<std::int64_t>::max();

  loop_meter(metrics::histogram lag, metrics::histogram timer_lag) noexcept
      : lag_(lag), timer_lag_(timer_lag) {}

  /// Before the fibers get their turns; `front` and `last` are turns in line. True: copy the figures.
  bool begin_turn(steady_time now, std::int64_t front, std::int64_t last) noexcept {
    end_lag(now, front);
    if (mark_ == nobody && front != nobody) {
      mark_ = last;
      marked_ = now;
    }
    if (now - noted_ < note_every) return false;
    note_lag(now);
    return true;
  }
  /// The line is empty, and the loop is about to sleep, or to end.
  void end_line(steady_time now) noexcept {
    end_lag(now, nobody);
    if (now - noted_ >= note_every) note_lag(now);
  }
  /// The loop has ended.
  void flush() noexcept { note_lag(noted_); }
  /// A timer fired that much after it was due.
  void timer_fired(steady_clock::duration late) const noexcept { timer_lag_.record(late); }

  void copy(const loop_figures& now) noexcept;
  /// As they were copied last. Any thread.
  loop_figures figures() const noexcept;

 private:
  static constexpr auto note_every = std::chrono::milliseconds(1);

  void end_lag(steady_time now, std::int64_t front) noexcept {
    if (mark_ == nobody || front <= mark_) return;
    mark_ = nobody;
    longest_ = std::max(longest_, now - marked_);
  }
  void note_lag(steady_time now) noexcept;

  const metrics::histogram lag_;
  const metrics::histogram timer_lag_;
  std::int64_t mark_ = nobody;  // nobody: there is none
  steady_time marked_ = {};
  steady_time noted_ = {};
  steady_clock::duration longest_ = steady_clock::duration::min();  // since noted_; min: none
  std::atomic<std::size_t> ready_{0};
  std::atomic<std::size_t> stacks_{0};
  std::atomic<std::size_t> stacks_in_use_{0};
  std::atomic<std::size_t> stacks_idle_{0};
  std::atomic<std::size_t> stack_touched_{0};
  std::atomic<std::size_t> timers_{0};
};

}  // namespace weft::inline v1::detail
