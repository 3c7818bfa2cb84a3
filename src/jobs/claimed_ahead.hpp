#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {

/// The jobs that a worker has claimed before a slot is free for them, and how many that may be: as many as it
/// begins within `soon`, by the pace of its last ends. What has waited for `too_long` nonetheless is to go
/// back to the store, and nothing is claimed ahead for a while.
///
/// Thread-safety: none.
class claimed_ahead {
 public:
  static constexpr std::chrono::milliseconds soon{5};
  static constexpr std::chrono::milliseconds too_long{25};

  explicit claimed_ahead(std::size_t most) : most_(most) {}

  /// For the next claims.
  void set_most(std::size_t most) noexcept { most_ = most; }
  /// An attempt ended: the pace is known better.
  void note_end(steady_time now);
  /// How many to hold, at most, beside those that run.
  std::size_t window(steady_time now) const;

  std::size_t size() const noexcept { return waiting_.size(); }
  bool empty() const noexcept { return waiting_.empty(); }
  void put(claimed_job one, steady_time now) { waiting_.push_back({std::move(one), now}); }
  /// The one that waits longest; there is one.
  claimed_job take();

  /// When the first has waited for too long; no_deadline for none.
  steady_time late_at() const;
  /// Those that have waited for too long; the pause begins.
  std::vector<claimed_job> take_late(steady_time now);
  std::vector<claimed_job> take_all();
  /// Those of which `is_it` says so; the others keep their order.
  std::vector<claimed_job> take_if(const std::function<bool(const claimed_job& one)>& is_it);

 private:
  using duration = steady_time::duration;
  static constexpr duration slowest = 2 * soon;
  static constexpr std::chrono::milliseconds first_pause{250};
  static constexpr std::chrono::milliseconds longest_pause{32'000};

  struct entry {
    claimed_job job;
    steady_time since;
  };

  std::size_t most_;
  std::deque<entry> waiting_;
  duration pace_ = slowest;  // from one end to the next, a moving mean
  steady_time last_end_{};
  steady_time paused_until_{};
  duration pause_ = first_pause;
};

}  // namespace weft::inline v1::jobs
