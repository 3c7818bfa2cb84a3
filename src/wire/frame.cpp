#include <weft/wire/frame.hpp>

#include <limits>
#include <string>

#include <weft/core/error.hpp>

#include "wire/big_endian.hpp"

namespace weft::wire {
namespace {

// Below this much read data the buffer is not moved to its front: moving is linear in what follows.
constexpr std::size_t compact_bytes_min = 64 * 1024;

[[noreturn]] void throw_too_large(std::uint64_t size, std::size_t limit) {
  throw error(errc::too_large, "frame: a payload of " + std::to_string(size) +
                                   " bytes is over the limit of " + std::to_string(limit));
}

}  // namespace

void append_frame(bytes& out, std::uint8_t type, std::uint8_t flags, std::uint64_t request_id,
                  std::span<const std::byte> payload) {
  constexpr std::size_t size_max = std::numeric_limits<std::uint32_t>::max();
  if (payload.size() > size_max) throw_too_large(payload.size(), size_max);
  out.reserve(out.size() + frame_header_bytes + payload.size());
  append_big_endian(out, payload.size(), 4);
  append_big_endian(out, type, 1);
  append_big_endian(out, flags, 1);
  append_big_endian(out, 0, 2);
  append_big_endian(out, request_id, 8);
  out.insert(out.end(), payload.begin(), payload.end());
}

bytes to_bytes(const frame& one) {
  bytes out;
  append_frame(out, one.type, one.flags, one.request_id, one.payload);
  return out;
}

void frame_reader::append(std::span<const std::byte> data) {
  if (begin_ == buffer_.size() || begin_ >= compact_bytes_min) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  buffer_.insert(buffer_.end(), data.begin(), data.end());
}

std::optional<frame> frame_reader::next() {
  const auto rest = std::span<const std::byte>(buffer_).subspan(begin_);
  if (rest.size() < frame_header_bytes) return std::nullopt;
  const std::uint64_t size = read_big_endian(rest.subspan(0, 4));
  if (size > payload_bytes_max_) throw_too_large(size, payload_bytes_max_);
  if (read_big_endian(rest.subspan(6, 2)) != 0) {
    throw error(errc::malformed,
                "frame: reserved bits are set in a header; the other side speaks another protocol");
  }
  if (rest.size() - frame_header_bytes < size) return std::nullopt;
  const auto payload = rest.subspan(frame_header_bytes, size);
  begin_ += frame_header_bytes + size;
  return frame{std::to_integer<std::uint8_t>(rest[4]), std::to_integer<std::uint8_t>(rest[5]),
               read_big_endian(rest.subspan(8, 8)), bytes(payload.begin(), payload.end())};
}

}  // namespace weft::wire
