#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weft/http/middleware.hpp>

namespace weft::inline v1::http {

/// How answers are compressed.
struct compression_options {
  int level = 5;                ///< 1 (fast) to 9 (small)
  std::size_t bytes_min = 512;  ///< a whole body below is sent as it is
  /// Media types that are compressed; "text/*" stands for all that begin so.
  std::vector<std::string> types = {
      "text/*",          "application/json",         "application/javascript",
      "application/xml", "application/problem+json", "application/wasm",
      "image/svg+xml",   "application/xhtml+xml",    "application/manifest+json"};
};

/// A middleware that compresses answers with gzip or deflate, as the request's Accept-Encoding wants it (RFC
/// 9110, 12.5.3; gzip where both are as welcome):
///
///     server.use(weft::http::compress());
///
/// A body that is streamed is compressed piece by piece, each sent at once, so that events arrive when they
/// are written. A strong ETag becomes a weak one, and Vary says that the answer depends on Accept-Encoding.
///
/// Left alone: 204, 304 and ranges (206, Content-Range), what has a Content-Encoding already or says
/// `Cache-Control: no-transform`, and what does not become smaller. Say no-transform where one page has both
/// a secret and what a stranger may write: its length would tell of the secret (the attack known as BREACH).
///
/// About 270 KiB while it works on an answer; a long one gives way to other fibers between pieces. Throws
/// weft::error (invalid_argument) for a bad level.
middleware compress(compression_options options = {});

/// Bounds against bodies that are small as they come and huge as they are.
struct decompression_limits {
  std::size_t bytes_max = 1024 * 1024;  ///< once decoded
  std::size_t ratio_max = 200;          ///< decoded bytes for one that came; the first 64 KiB are free
};

/// A middleware that decodes bodies of requests whose Content-Encoding is gzip or deflate, so that handlers
/// read what was meant; request::header still shows the field. Where the route streams the body, it is
/// decoded as it is read.
///
///     server.use(weft::http::decompress({.bytes_max = 10 << 20}));
///
/// Answers 415 to any other encoding, or more than one, 413 past `bounds`, 400 to what is malformed or cut
/// short. Without it a body is handed on as it came.
middleware decompress(decompression_limits bounds = {});

/// Decodes a body that comes in pieces, by the value of its Content-Encoding: for a client, which asked for
/// it.
///
/// Not thread-safe; never waits. Of no use after an error.
class content_decoder {
 public:
  /// Is that an encoding that can be decoded: gzip, x-gzip or deflate, once?
  static bool knows(std::string_view content_encoding) noexcept;

  /// Throws weft::error (unsupported) for another encoding.
  explicit content_decoder(std::string_view content_encoding, decompression_limits bounds = {});
  content_decoder(content_decoder&&) noexcept;
  content_decoder& operator=(content_decoder&&) noexcept;
  ~content_decoder();

  /// Appends to `out` what the next bytes of the body stand for. Throws weft::error: malformed, or too_large
  /// past the bounds, of which `out` never has more.
  void write(std::string_view piece, std::string& out);
  /// The same, with at most `most` bytes more in `out`: takes what it dealt with off `piece`. True where
  /// there may be more without another piece.
  bool write_some(std::string_view& piece, std::string& out, std::size_t most);
  /// The body is at its end. Throws weft::error (malformed) where it is cut short.
  void finish() const;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace weft::inline v1::http
