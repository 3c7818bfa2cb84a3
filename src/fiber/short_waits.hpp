#pragma once

#include <algorithm>
#include <chrono>

namespace weft::inline v1::detail {

/// Tells whether the next wait of a loop will be so short that looking again and again costs less than
/// a sleep: a processor that slept takes 20 us and more until it runs the thread again.
///
/// It learns from the waits before. One that ended soon speaks for it, one that was looked for in vain
/// speaks against it eight times: also where waits are short, looking does harm if there are more threads
/// than processors, as it keeps the very thread from running that would end the wait.
class short_waits {
 public:
  using duration = std::chrono::steady_clock::duration;

  /// How long to look before sleeping.
  static constexpr duration look_for = std::chrono::microseconds(25);
  /// A slept wait that took no longer would have been found by looking: it has the waking in it.
  static constexpr duration slept_soon = std::chrono::microseconds(80);

  bool expected() const noexcept { return score_ >= 2; }
  void found_by_looking() noexcept { score_ = std::min(score_ + 1, score_max); }
  void looked_in_vain() noexcept { score_ = std::max(score_ - 8, score_min); }
  void slept(duration how_long) noexcept {
    score_ = how_long <= slept_soon ? std::min(score_ + 1, score_max) : std::max(score_ - 1, score_min);
  }

 private:
  static constexpr int score_max = 4;
  static constexpr int score_min = -16;
  int score_ = 0;
};

}  // namespace weft::inline v1::detail
