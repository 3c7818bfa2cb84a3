#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::detail {

class runtime;
class scheduler;

/// The thread of a run that watches its loops: marks turns that have lasted long enough for a safepoint,
/// names fibers that hold their thread too long (run_options::watchdog), and dumps on SIGQUIT.
///
/// Started when one of these is wanted first. It samples each loop's count of switches; while all
/// loops sleep, it sleeps too: it sets idle_ and looks at the loops once more, a loop that wakes looks at
/// idle_ after it is marked awake, both in one total order; so one of the two sees the other.
class monitor {
 public:
  explicit monitor(runtime& of);
  monitor(const monitor&) = delete;
  monitor& operator=(const monitor&) = delete;

  /// The loops are there.
  void begin() noexcept;
  /// The loops are about to go.
  void end();

  /// From now on long turns are marked for safepoints. True for the first call. Any loop; may not get a
  /// thread, then nothing is marked.
  bool watch_turns() noexcept;
  /// A loop has woken up, or did not sleep after all.
  void loop_woke() noexcept {
    if (idle_.load(std::memory_order_seq_cst)) [[unlikely]]
      ring();
  }

 private:
  struct turn {
    std::uint64_t switches = 0;
    steady_time since = {};
    bool reported = false;
  };
  void start();
  void ring() noexcept;
  void work() noexcept;
  int pause_ms() noexcept;
  void look_at(scheduler& loop, turn& last, steady_time now);
  void report(scheduler& loop, std::uint64_t switches, steady_clock::duration held);
  void dump_soon();

  runtime& run_;
  const std::chrono::milliseconds watchdog_;
  std::mutex start_lock_;
  started_thread thread_;  // guarded by start_lock_
  unique_fd bell_;
  std::vector<turn> turns_;  // the monitor's thread only
  std::atomic<bool> marks_turns_{false};
  std::atomic<bool> idle_{false};
  std::atomic<bool> stopping_{false};
};

}  // namespace weft::inline v1::detail
