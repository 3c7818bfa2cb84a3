#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/fiber/timer_record.hpp>

namespace weft::inline v1 {

/// How a timer is made.
struct timer_options {
  std::string name = {};                      ///< of the fibers of its ticks
  bool keeps_run = true;                      ///< does weft::run wait until it is due or cancelled?
  bool stops_on_error = false;                ///< of every(): is a tick that throws the last one?
  std::optional<weft::context> context = {};  ///< of its ticks, instead of the caller's
};

/// A timer as it is now.
struct timer_info {
  std::uint64_t id = 0;  ///< unique in the process, never reused
  std::string name = {};
  steady_time due = no_deadline;                                   ///< next time it is due
  steady_clock::duration period = steady_clock::duration::zero();  ///< zero: due once
  std::uint64_t ticks = 0;                                         ///< started so far
  std::uint64_t missed = 0;  ///< skipped, because the loop was late or a tick still ran
  bool ticking = false;      ///< does a tick run now?
};

/// Figures of all timers of the runs that are on in this process.
struct timer_statistics {
  std::size_t active = 0;
  std::uint64_t ticks = 0;
  std::uint64_t missed = 0;
  std::uint64_t cancelled = 0;
};

class timer;

namespace detail {
template <bool Periodic, bool Named, typename Function>
timer make_timer(steady_time due, steady_clock::duration period, Function&& function, timer_options options,
                 std::source_location from);
}

/// A handle to a function that is called when its time comes: see after() and every().
///
/// Move-only; from any fiber or thread. Dropping it cancels the timer and waits for a tick that runs:
/// the function mostly captures what is around the handle, and a forgotten timer keeps a program from
/// ending. (A dropped fiber handle detaches; a timer says so by detach().)
class [[nodiscard]] timer {
 public:
  timer() noexcept = default;
  timer(timer&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
  timer& operator=(timer&& other) noexcept {
    if (this != &other) {
      drop();
      record_ = std::exchange(other.record_, nullptr);
    }
    return *this;
  }
  /// As cancel(), and waits until nothing is left of a tick, unless it is called by that tick. The wait
  /// is not cancelled.
  ~timer() { drop(); }

  /// No tick starts any more, and one that runs is asked to give up, unless it is the caller. Never
  /// waits. True if this call ended the timer; false if it was over. Also from inside its function.
  bool cancel() noexcept;
  /// No tick starts any more; waits until one that runs has ended, unless it is the caller. A
  /// cancellation point; the timer is over all the same.
  void stop();
  /// Lets it go on by itself; what the function captured must live as long.
  void detach() noexcept;

  /// Will it start another tick, as far as can be told?
  bool active() const noexcept;
  /// 0 for an empty handle.
  std::uint64_t id() const noexcept;
  timer_info info() const;

 private:
  template <bool Periodic, bool Named, typename Function>
  friend timer detail::make_timer(steady_time due, steady_clock::duration period, Function&& function,
                                  timer_options options, std::source_location from);
  explicit timer(detail::timer_record* record_ref) noexcept : record_(record_ref) {}
  void drop() noexcept;
  detail::timer_record* record_ = nullptr;
};

namespace detail {

/// Arms it on the loop of the running fiber, which takes one reference; the other one is the handle's.
/// Throws weft::error: no_scheduler outside a run.
void arm_timer(timer_record* record_ref, steady_time due);
void refuse_period(steady_clock::duration period);

}  // namespace detail

namespace detail {

template <bool Periodic, bool Named, typename Function>
timer make_timer(steady_time due, steady_clock::duration period, Function&& function, timer_options options,
                 std::source_location from) {
  weft::context captured = options.context ? std::move(*options.context) : weft::context::capture();
  auto* const record = new timer_body<std::decay_t<Function>, Periodic, Named>(
      captured.release_node(), from, std::forward<Function>(function));
  record->keeps_run = options.keeps_run;
  record->stops_on_error = options.stops_on_error;
  if constexpr (Periodic) record->every = {.length = period, .due = due};
  if constexpr (Named) record->named = std::move(options.name);
  arm_timer(record, due);
  return timer(record);
}

template <bool Periodic, typename Function>
timer make_timer(steady_time due, steady_clock::duration period, Function&& function, timer_options options,
                 std::source_location from) {
  if (options.name.empty()) {
    return make_timer<Periodic, false>(due, period, std::forward<Function>(function), std::move(options),
                                       from);
  }
  return make_timer<Periodic, true>(due, period, std::forward<Function>(function), std::move(options), from);
}

}  // namespace detail

/// Calls `function` once, on a fiber of its own, when `delay` has passed: never early, and within the
/// next millisecond when the loop is free. It runs in the caller's context, captured here, deadline and
/// cancellation included. What it throws goes to the uncaught handler. The fiber's parent is the caller.
///
/// Cost: 128 bytes until it is due, with a function of up to 8 bytes and without a name, else whole 64
/// more; arming and cancelling on the same thread take no system call. Cancelled from another thread it gives
/// its function back at once and its memory soon. Throws weft::error (no_scheduler) outside weft::run,
/// std::bad_alloc.
///     auto reminder = weft::after(5s, [&] { ring(); });
template <typename Rep, typename Period, typename Function>
timer after(std::chrono::duration<Rep, Period> delay, Function&& function, timer_options options = {},
            std::source_location from = std::source_location::current()) {
  return detail::make_timer<false>(deadline_after(delay), {}, std::forward<Function>(function),
                                   std::move(options), from);
}

/// Calls `function` each time `period` has passed, first after one period, each time on a new fiber in
/// the context captured here. A tick never overlaps itself.
///
/// It does not drift: it is due one period after it was due last, however late it ran. Due times that
/// passed meanwhile, or came while a tick still ran, are skipped and counted. An error goes to the
/// uncaught handler and the timer goes on, unless `stops_on_error`; a tick that is cancelled from
/// around it (its context was cancelled, or is past its deadline) is the last one.
/// Throws as after(), and weft::error (invalid_argument) for a period below a millisecond.
template <typename Rep, typename Period, typename Function>
timer every(std::chrono::duration<Rep, Period> period, Function&& function, timer_options options = {},
            std::source_location from = std::source_location::current()) {
  const steady_time due = deadline_after(period);
  const auto length =
      due == no_deadline ? steady_clock::duration::max() : std::chrono::ceil<steady_clock::duration>(period);
  detail::refuse_period(length);
  return detail::make_timer<true>(due, length, std::forward<Function>(function), std::move(options), from);
}

/// All timers that are active, in all runs of the process, in no order. A snapshot.
std::vector<timer_info> list_timers();
timer_statistics statistics_of_timers() noexcept;

}  // namespace weft::inline v1
