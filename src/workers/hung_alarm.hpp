#pragma once

#include <chrono>
#include <cstddef>
#include <ctime>
#include <deque>
#include <optional>

#include <weft/core/clock.hpp>

namespace weft::workers::detail {

/// Has the kernel end this process by SIGALRM when one call takes too long, also when it never
/// lets go of the thread. For the calls of one thread.
class hung_alarm {
 public:
  /// `after` is the time of one call; 0: no alarm.
  explicit hung_alarm(std::chrono::nanoseconds after);
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
  steady_time begin_call();
  void end_call(steady_time end) noexcept;
  void arm() noexcept;

  std::chrono::nanoseconds after_;
  timer_t timer_{};
  std::deque<steady_time> ends_;  // of the running calls; all last as long, so the first ends first
};

}  // namespace weft::workers::detail
