#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace weft::inline v1::jobs::postgres {

/// Times between tries to reach a server: each twice the one before up to a maximum, of which a random part
/// is taken, so that many clients of a server that comes back do not come at the same moment.
///
/// One task.
class back_off {
 public:
  static constexpr std::chrono::milliseconds first{20};
  static constexpr std::chrono::milliseconds longest{2000};

  /// From half of this try's time to all of it.
  std::chrono::milliseconds next() {
    const auto now = next_;
    next_ = std::min(2 * next_, longest);
    return std::chrono::milliseconds(
        std::uniform_int_distribution<std::chrono::milliseconds::rep>(now.count() / 2, now.count())(random_));
  }
  void reset() noexcept { next_ = first; }

 private:
  std::chrono::milliseconds next_ = first;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace weft::inline v1::jobs::postgres
