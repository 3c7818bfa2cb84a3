#include <weft/core/clock.hpp>

#include <weft/core/oracle.hpp>

namespace weft::inline v1 {

steady_clock::time_point steady_clock::now() noexcept {
  if (detail::oracle* const simulated = detail::oracle::current()) [[unlikely]]
    return simulated->now();
  return std::chrono::steady_clock::now();
}

wall_clock::time_point wall_clock::now() noexcept {
  if (detail::oracle* const simulated = detail::oracle::current()) [[unlikely]]
    return simulated->wall_now();
  return std::chrono::system_clock::now();
}

}  // namespace weft::inline v1
