#pragma once

#include <weft/core/spin_lock.hpp>
#include <weft/fiber/run.hpp>
#include <weft/metrics/registry.hpp>

namespace weft::inline v1::detail {

class runtime;

/// The figures of all runs of this process in the default registry, as `weft_fibers_...`.
///
/// Runs come and go and counters must not go back, so what a run counted is kept when it ends.
class run_meters {
 public:
  /// Made at the first call, never destroyed. Throws weft::error where the names are taken.
  static run_meters& get();

  const metrics::histogram& loop_lag() const noexcept { return loop_lag_; }
  const metrics::histogram& timer_lag() const noexcept { return timer_lag_; }

  /// Shows a run while it lives. All loops of the run are there for longer.
  class shown_run {
   public:
    explicit shown_run(const runtime& run) noexcept;
    shown_run(const shown_run&) = delete;
    shown_run& operator=(const shown_run&) = delete;
    ~shown_run();

   private:
    friend class run_meters;
    const runtime& run_;
    shown_run* next_ = nullptr;  // guarded by lock_ of the meters
  };

 private:
  run_meters();
  run_statistics sum() noexcept;
  void read(metrics::readings& to);

  spin_lock lock_;
  shown_run* runs_ = nullptr;  // guarded by lock_
  run_statistics ended_;       // guarded by lock_; counters and peaks of the runs that have ended
  metrics::histogram loop_lag_;
  metrics::histogram timer_lag_;
  metrics::source source_;
};

}  // namespace weft::inline v1::detail
