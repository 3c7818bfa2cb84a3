#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <deque>
#include <type_traits>

#include <weft/core/clock.hpp>

namespace weft::inline v1::workers::detail {

/// Ends this process by SIGALRM when one call takes too long, also when it never lets go of the thread.
///
/// A timer of the kernel looks. It is set for a while behind the end of the call that has to end first, and
/// set anew when that end has moved beyond it: some system calls in a second, however many calls there are.
/// So while calls run it rings only for one that is over its time, or its signal would end a sleep of a
/// called function early. Once it rings when no call runs any more, and then not until after the next one.
class hung_alarm {
 public:
  /// `after` is the time of one call, and an eighth more, 250 ms at most; 0: no alarm. For calls of the
  /// thread that makes it, which gets the signal. Takes SIGALRM of the process over while it lives. For who
  /// looks from outside, `shown`, if not null, has the end of the running call that ends first, by the
  /// steady clock in nanoseconds, 0 while none runs; it outlives this.
  explicit hung_alarm(std::chrono::nanoseconds after, std::atomic<std::int64_t>* shown = nullptr)
      : hung_alarm(after, shown, slack_of(after)) {}
  /// The same with another time in place of that eighth.
  hung_alarm(std::chrono::nanoseconds after, std::atomic<std::int64_t>* shown,
             std::chrono::nanoseconds slack);
  hung_alarm(const hung_alarm&) = delete;
  hung_alarm& operator=(const hung_alarm&) = delete;
  ~hung_alarm();

  /// In how long the timer rings, by the kernel; 0 where it does not.
  std::chrono::nanoseconds rings_in() const noexcept;

  /// Watches one call while it lives.
  class [[nodiscard]] watch {
   public:
    explicit watch(hung_alarm& of) : of_(of), end_(of.begin_call()) {}
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;
    ~watch() { of_.end_call(end_); }

   private:
    hung_alarm& of_;
    steady_time end_;
  };

 private:
  static_assert(std::is_same_v<steady_time::duration, std::chrono::nanoseconds>);
  static constexpr std::int64_t nothing_runs = 0;

  static std::chrono::nanoseconds slack_of(std::chrono::nanoseconds after) noexcept;
  static void rang(int signal, siginfo_t* how, void* context) noexcept;
  static void end_process() noexcept;
  void look() noexcept;
  void set_timer() noexcept;
  void ring_behind_first_end() noexcept;
  steady_time begin_call();
  void end_call(steady_time end) noexcept;
  void tell_first_end() noexcept;

  std::chrono::nanoseconds after_;
  std::int64_t slack_ns_;
  std::atomic<std::int64_t>* shown_;
  timer_t timer_{};
  struct sigaction former_ {};
  std::deque<steady_time> ends_;  // of the running calls; all last as long, so the first ends first
  std::atomic<std::int64_t> first_end_ns_{nothing_runs};  // of ends_, for the signal handler
  std::atomic<std::int64_t> rings_at_ns_{nothing_runs};   // at first_end_ns_ or later, while calls run
};

}  // namespace weft::inline v1::workers::detail
