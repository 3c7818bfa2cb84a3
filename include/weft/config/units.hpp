#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::inline v1::config {

/// A number of bytes, as people write it: "64MiB", "10MB", "512". A setting of this type reads that.
struct byte_size {
  std::uint64_t bytes = 0;
  friend bool operator==(byte_size, byte_size) = default;
};

/// The span of "90", "90s", "1h30m", "500ms", "250us", "7d": numbers with units of d, h, m, s, ms, us;
/// without a unit seconds. Nothing for any other text, and for more than a thousand years.
std::optional<std::chrono::microseconds> duration_from_text(std::string_view text);
/// The shortest text that duration_from_text reads as this: "1h30m". Of a negative one "-" and that.
std::string duration_text(std::chrono::microseconds span);

/// The size of "512", "10kB", "64MiB", "1.5GiB": powers of 1000 (kB, MB, GB, TB) or of 1024 (KiB, MiB, GiB,
/// TiB). Nothing for any other text, for a part of a byte, and for more than 64 bits hold.
std::optional<byte_size> byte_size_from_text(std::string_view text);
/// "64MiB", or "513" where no unit fits.
std::string byte_size_text(byte_size size);

}  // namespace weft::inline v1::config
