#include <weft/fiber/channel.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

#include <weft/core/error.hpp>

namespace weft::inline v1::detail {

void refuse_channel_capacity(std::size_t capacity) {
  throw error(errc::invalid_argument,
              "channel: a capacity of " + std::to_string(capacity) +
                  " is absurd; the most is 2^30, and that much memory is taken at once");
}

void channel_destroyed_under_waiters(std::size_t producers, std::size_t consumers) noexcept {
  std::fprintf(stderr,
               "weft: a channel was destroyed while %zu producers and %zu consumers wait at it; "
               "close it and let them go first\n",
               producers, consumers);
  std::abort();
}

}  // namespace weft::inline v1::detail
