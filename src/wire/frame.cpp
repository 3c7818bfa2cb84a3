#include <weft/wire/frame.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <weft/core/error.hpp>

#include "wire/big_endian.hpp"

namespace weft::inline v1::wire {
namespace {

// Below this much read data the buffer is not moved to its front: moving is linear in what follows.
constexpr std::size_t compact_bytes_min = 64 * 1024;

// A frame with a payload of this size is worth a buffer of its own.
constexpr std::size_t long_bytes_min = std::size_t{16} * 1024;

// Reserved for a frame of which only the header has come.
constexpr std::size_t reserved_bytes_max = std::size_t{256} * 1024;

[[noreturn]] void throw_too_large(std::uint64_t size, std::size_t limit) {
  throw error(errc::too_large, "frame: a payload of " + std::to_string(size) +
                                   " bytes is over the limit of " + std::to_string(limit));
}

}  // namespace

std::size_t begin_frame(bytes& out, std::uint8_t type, std::uint8_t flags, std::uint64_t request_id) {
  const std::size_t begin = out.size();
  append_big_endian(out, 0, 4);
  append_big_endian(out, type, 1);
  append_big_endian(out, flags, 1);
  append_big_endian(out, 0, 2);
  append_big_endian(out, request_id, 8);
  return begin;
}

void end_frame(bytes& out, std::size_t begin) {
  constexpr std::size_t size_max = std::numeric_limits<std::uint32_t>::max();
  const std::size_t size = out.size() - begin - frame_header_bytes;
  if (size > size_max) throw_too_large(size, size_max);
  for (std::size_t i = 0; i < 4; ++i) out[begin + i] = static_cast<std::byte>(size >> (8 * (3 - i)) & 0xFF);
}

void append_frame(bytes& out, std::uint8_t type, std::uint8_t flags, std::uint64_t request_id,
                  std::span<const std::byte> payload) {
  if (out.empty()) out.reserve(frame_header_bytes + payload.size());
  const std::size_t begin = begin_frame(out, type, flags, request_id);
  out.insert(out.end(), payload.begin(), payload.end());
  end_frame(out, begin);
}

bytes to_bytes(const frame& one) {
  bytes out;
  append_frame(out, one.type, one.flags, one.request_id, one.payload);
  return out;
}

void frame_reader::append(std::span<const std::byte> data) {
  if (missing_ > 0) {
    const auto its = data.first(std::min(missing_, data.size()));
    long_->payload.insert(long_->payload.end(), its.begin(), its.end());
    missing_ -= its.size();
    data = data.subspan(its.size());
  }
  if (begin_ == buffer_.size() || begin_ >= compact_bytes_min) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  buffer_.insert(buffer_.end(), data.begin(), data.end());
}

/// Spares a long payload the way through the buffer. `payload` is what has come of it.
void frame_reader::begin_long(frame&& header, std::span<const std::byte> payload, std::uint64_t size) {
  long_ = std::move(header);
  // Not all of it on the word of a header alone.
  long_->payload.reserve(std::min<std::uint64_t>(size, reserved_bytes_max + 2 * payload.size()));
  long_->payload.assign(payload.begin(), payload.end());
  missing_ = size - payload.size();
}

std::optional<frame> frame_reader::next() {
  if (long_) {
    if (missing_ > 0) return std::nullopt;
    return std::exchange(long_, std::nullopt);
  }
  const auto rest = std::span<const std::byte>(buffer_).subspan(begin_);
  if (rest.size() < frame_header_bytes) return std::nullopt;
  const std::uint64_t size = read_big_endian(rest.subspan(0, 4));
  if (size > payload_bytes_max_) throw_too_large(size, payload_bytes_max_);
  if (read_big_endian(rest.subspan(6, 2)) != 0) {
    throw error(errc::malformed,
                "frame: reserved bits are set in a header; the other side speaks another protocol");
  }
  frame one{std::to_integer<std::uint8_t>(rest[4]),
            std::to_integer<std::uint8_t>(rest[5]),
            read_big_endian(rest.subspan(8, 8)),
            {}};
  const auto there = rest.subspan(frame_header_bytes);
  if (there.size() < size) {
    if (size < long_bytes_min) return std::nullopt;
    begin_ = buffer_.size();
    begin_long(std::move(one), there, size);
    return std::nullopt;
  }
  one.payload.assign(there.begin(), there.begin() + static_cast<std::ptrdiff_t>(size));
  begin_ += frame_header_bytes + size;
  return one;
}

std::size_t frame_reader::pending_bytes() const noexcept {
  const std::size_t begun = long_ ? frame_header_bytes + long_->payload.size() : 0;
  return begun + buffer_.size() - begin_;
}

}  // namespace weft::inline v1::wire
