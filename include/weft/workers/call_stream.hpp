#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weft/codec/bytes.hpp>
#include <weft/wire/binary.hpp>

namespace weft::inline v1::workers {

/// How far a call has got, as the called function says.
struct progress {
  double done = 0;  ///< usually from 0 to 1
  std::string text = {};
  std::uint64_t dropped = 0;  ///< notes before this one that were dropped, as nobody was told in time
};

/// One end of the two streams that a native call may have beside arguments and result: pieces of bytes, kept
/// apart, in order. A stream takes as long as its slower end, and about 1 MiB of memory however long it is.
class call_stream {
 public:
  call_stream(const call_stream&) = delete;
  call_stream& operator=(const call_stream&) = delete;

  /// Sends a piece, of at most message_bytes_max of the other end. Waits while the other end has not read
  /// what is under way. False where the other end's part of the call is over, so that nobody will read it.
  bool write(std::span<const std::byte> piece) { return write_piece(piece); }
  bool write(std::string_view piece) { return write_piece(as_bytes(piece)); }
  /// There will be no further piece.
  void end_writing() { end_pieces(); }
  /// Waits for the next piece; nothing after the last one. Throws weft::error (too_large) for one over
  /// message_bytes_max.
  std::optional<bytes> read() { return read_piece(); }

  /// A value as a piece.
  template <encodable Value>
  bool put(const Value& value) {
    return write_piece(wire::to_binary(value));
  }
  /// The next piece as a value. Throws weft::error (malformed) where it is none.
  template <encodable Value>
  std::optional<Value> get() {
    const auto piece = read_piece();
    if (!piece) return std::nullopt;
    return wire::from_binary<Value>(*piece);
  }

 protected:
  call_stream() = default;
  ~call_stream() = default;

 private:
  virtual bool write_piece(std::span<const std::byte> piece) = 0;
  virtual void end_pieces() = 0;
  virtual std::optional<bytes> read_piece() = 0;
};

/// Whoever called the running function: a service of each call in a worker, for a function that streams or
/// says how far it is. Take it as a parameter, `workers::caller&`. Not to be kept beyond the call. Waits
/// suspend the call's fiber and are cancellation points. From a client that speaks the compatible protocol
/// there are no pieces, and it is told no progress; writing to it throws weft::error (unsupported).
class caller : public call_stream {
 public:
  /// Tells the caller how far this call has got. Waits only while the connection is full.
  virtual void say_progress(double done, std::string_view text = {}) = 0;

 protected:
  ~caller() = default;
};

}  // namespace weft::inline v1::workers
