#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <deque>
#include <type_traits>

#include <weft/core/clock.hpp>

namespace weft::workers::detail {

/// Ends this process by SIGALRM when one call takes too long, also when it never lets go of the thread.
/// For the calls of one thread.
///
/// A timer of the kernel looks. It is not set anew for each call, which would be two system calls: it runs
/// until the end of a call that began with no timer running, and its signal handler then looks whether a
/// call is over its time, and sets it for the first that will be.
class hung_alarm {
 public:
  /// `after` is the time of one call; 0: no alarm. Takes SIGALRM of the process over while it lives. For who
  /// looks from outside, `shown`, if not null, has the end of the running call that ends first, by the
  /// steady clock in nanoseconds, 0 while none runs; it outlives this.
  explicit hung_alarm(std::chrono::nanoseconds after, std::atomic<std::int64_t>* shown = nullptr);
  hung_alarm(const hung_alarm&) = delete;
  hung_alarm& operator=(const hung_alarm&) = delete;
  ~hung_alarm();

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

  static void rang(int signal, siginfo_t* how, void* context) noexcept;
  static void end_process() noexcept;
  void look() noexcept;
  void set_timer(std::int64_t end_ns) noexcept;
  steady_time begin_call();
  void end_call(steady_time end) noexcept;
  void tell_first_end() noexcept;

  std::chrono::nanoseconds after_;
  std::atomic<std::int64_t>* shown_;
  timer_t timer_{};
  struct sigaction former_ {};
  std::deque<steady_time> ends_;  // of the running calls; all last as long, so the first ends first
  std::atomic<std::int64_t> first_end_ns_{nothing_runs};  // of ends_, for the signal handler
  std::atomic<bool> is_set_{false};                       // the timer will ring
};

}  // namespace weft::workers::detail
