#pragma once

#include <chrono>
#include <cstddef>

namespace weft::inline v1::process {

/// How many processes of a supervisor or a fork server may die by themselves before that is taken for a crash
/// loop, in which no other is started for a while. The first pause is 100 ms; each further one twice as long,
/// until none has died for `within`.
struct restart_intensity {
  static constexpr std::size_t deaths_limit = 10'000;

  std::size_t deaths_max = 100;  ///< in `within`, at most deaths_limit; one more is too many; 0: no limit
  std::chrono::nanoseconds within = std::chrono::seconds(10);             ///< the while that is looked at
  std::chrono::nanoseconds pause_first = std::chrono::milliseconds(100);  ///< the first pause
  std::chrono::nanoseconds pause_max = std::chrono::seconds(10);          ///< the longest pause
};

}  // namespace weft::inline v1::process
