#pragma once

#include <chrono>
#include <cstddef>

namespace weft::workers {

/// How many workers of a server may die by themselves, by a signal or with a status other than 0, before it
/// takes that for a crash loop and pauses: clients wait meanwhile. The first pause is 100 ms; each further
/// one twice as long, until no worker has died for `within`. Workers that end because of what a client says
/// do not count.
struct restart_intensity {
  static constexpr std::size_t deaths_limit = 10'000;

  std::size_t deaths_max = 100;  ///< in `within`, at most deaths_limit; one more is too many; 0: no limit
  std::chrono::nanoseconds within = std::chrono::seconds(10);             ///< the while that is looked at
  std::chrono::nanoseconds pause_first = std::chrono::milliseconds(100);  ///< the first pause
  std::chrono::nanoseconds pause_max = std::chrono::seconds(10);          ///< the longest pause
};

}  // namespace weft::workers
