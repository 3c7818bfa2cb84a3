#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>

namespace weft::inline v1::net {

/// How a transfer ended.
enum class transfer_end : unsigned char {
  complete,       ///< all that was asked for
  end_of_stream,  ///< the source ended before
  timed_out,      ///< the bound passed before
};

/// What a transfer of several bytes did; true where it is complete.
struct transfer {
  std::size_t bytes = 0;  ///< that were moved, also where it is not complete
  transfer_end end = transfer_end::complete;
  explicit operator bool() const noexcept { return end == transfer_end::complete; }
  friend bool operator==(const transfer&, const transfer&) = default;
};

/// A transfer failed in the middle.
class transfer_error : public error {
 public:
  transfer_error(const error& why, std::size_t bytes);
  /// That were moved before.
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t bytes_;
};

/// Bytes in, bytes out: a socket, or what is layered above one. What readers and framing are written for.
///
/// Waits suspend the task. One task may read while another writes. Every wait is a cancellation point; a
/// cancelled read of several bytes, or a write, may have moved a part of them.
class byte_stream {
 public:
  virtual ~byte_stream() = default;

  /// Waits for bytes and gives how many came; 0 once the peer has ended its side, and nothing when `until`
  /// passed first.
  virtual std::optional<std::size_t> read_some_until(std::span<char> into, steady_time until) = 0;
  std::size_t read_some(std::span<char> into) { return *read_some_until(into, no_deadline); }

  /// Reads until `into` is full. A failure after the first byte is a transfer_error.
  transfer read_exactly_until(std::span<char> into, steady_time until);
  transfer read_exactly(std::span<char> into) { return read_exactly_until(into, no_deadline); }

  /// Sends several pieces, in one system call where the socket takes them. A failure after the first byte is
  /// a transfer_error.
  virtual transfer write_all_until(std::span<const std::string_view> pieces, steady_time until) = 0;
  void write_all(std::string_view bytes) { write_all_until(std::span(&bytes, 1), no_deadline); }

  /// Tells the peer that nothing more comes. Reading goes on.
  virtual void shutdown_write() = 0;

 protected:
  byte_stream() = default;
  byte_stream(const byte_stream&) = default;
  byte_stream& operator=(const byte_stream&) = default;
};

}  // namespace weft::inline v1::net
