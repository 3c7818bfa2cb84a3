#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <weft/http/client.hpp>
#include <weft/http/compression.hpp>

#include "http/compression/zlib_stream.hpp"

namespace weft::inline v1::http::detail {

/// Decodes the body of a response piece by piece, as it is asked for.
class pulled_decoder {
 public:
  pulled_decoder(std::string_view coding, decompression_limits bounds) : decoder_(coding, bounds) {}

  /// The next piece, decoded, of at most 64 KiB; empty at the end. `next` gives the next piece as it came,
  /// valid until its next call; empty at the end. Throws as content_decoder, and what `next` throws. Gives
  /// way to other fibers where one piece becomes many.
  std::string_view read(const std::function<std::string_view()>& next);

 private:
  content_decoder decoder_;
  std::string_view unread_;
  bool has_more_ = false;  // there may be more to decode without another piece
  std::string decoded_;
};

/// The body of a request in gzip: all of it at once, or piece by piece as it is asked for.
class packed_body {
 public:
  /// Puts what is to be sent in place of `body`, or of what `pieces` points to; valid as long as this. False
  /// where it would not be smaller and is sent as it is. Gives way to other fibers.
  bool pack(std::string_view& body, const body_pieces*& pieces);

 private:
  std::string_view next_piece(const body_pieces& from);

  std::string bytes_;
  std::optional<deflater> deflater_;
  bool is_ended_ = false;
  body_pieces pieces_;
};

}  // namespace weft::inline v1::http::detail
