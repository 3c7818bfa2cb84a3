#include <weft/wire/random.hpp>

#include <cerrno>

#include <sys/random.h>

#include <weft/core/error.hpp>

namespace weft::inline v1::wire {

// Straight from the kernel: no state of our own that a fork would duplicate.
void fill_random(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw error(errc::unavailable, system_error("random_bytes: getrandom", errno).message());
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

bytes random_bytes(std::size_t count) {
  bytes out(count);
  fill_random(out);
  return out;
}

}  // namespace weft::inline v1::wire
