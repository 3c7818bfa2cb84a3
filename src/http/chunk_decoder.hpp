#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "http/head_parser.hpp"

namespace weft::inline v1::http::detail {

/// May a field of that name come behind the body? Not where it is needed before, to frame, route or
/// understand the message (RFC 9110, 6.5.1).
bool may_be_trailer(std::string_view name) noexcept;

/// Takes a chunked body apart, strictly, as bytes arrive. Trailers are checked and kept; one
/// that only a header may have is refused. Chunk extensions are checked and skipped, up to a bound.
class chunk_decoder {
 public:
  explicit chunk_decoder(const limits& bounds) noexcept : limits_(bounds) {}

  void restart() noexcept { restart(limits_.body_bytes_max); }
  /// For a body of at most that many bytes.
  void restart(std::size_t body_bytes_max) noexcept;

  struct step {
    progress how;
    std::size_t consumed;  ///< bytes of `raw` that are dealt with; hand the rest in again
    std::size_t written;   ///< bytes of the body written to `out`
  };
  /// Decodes what it can of `raw`. `out` has room for raw.size() bytes and may be raw.data() or
  /// lie before it: decoding in place.
  step advance(std::string_view raw, char* out);

  /// The trailers so far, as "Name: value\r\n" each.
  const std::string& trailers() const noexcept { return trailers_; }
  std::string take_trailers() noexcept { return std::move(trailers_); }
  const refusal& why_refused() const noexcept { return refusal_; }

 private:
  enum class part : unsigned char { size, data, data_end, trailer, end };

  progress advance_once(std::string_view raw, char* out, step& so_far);
  progress take_line(std::string_view raw, std::string_view& line, std::size_t& consumed) noexcept;
  progress parse_size(std::string_view line) noexcept;
  progress take_trailer(std::string_view line);
  progress refuse(int status, const char* why) noexcept;

  limits limits_;
  refusal refusal_;
  part part_ = part::size;
  std::uint64_t chunk_left_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::size_t overhead_bytes_ = 0;  // extensions and trailers so far
  std::size_t trailer_count_ = 0;
  std::string trailers_;
};

}  // namespace weft::inline v1::http::detail
