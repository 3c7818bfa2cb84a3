#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weft::inline v1::http {

class request;

/// Bounds of what frames the parts. The bound of the whole is that of the body.
struct multipart_limits {
  std::size_t parts_max = 1000;            ///< 413
  std::size_t part_head_bytes_max = 8192;  ///< header lines of one part: 431
};

/// What one part of a form says of itself; all of it the client's word.
struct multipart_part {
  std::string name;
  std::optional<std::string> file_name;  ///< there is one for a file; never to be taken for a path
  std::string content_type;              ///< empty where it says none
};

/// Reads a multipart/form-data body (RFC 7578) part by part, as it comes where the route has streams_body.
///
///     weft::http::multipart_reader parts(in);
///     while (const auto* part = parts.next())
///       for (std::string_view piece; !(piece = parts.read()).empty();) store(part->name, piece);
///
/// For most forms request::form is enough; this is for uploads that go elsewhere than to a file.
///
/// What is not exactly as the RFC wants it throws status_error (400): text before the first boundary or
/// behind the last, a line that begins with the boundary and goes on, a part without a name, `filename*`, two
/// of one parameter, an end that is missing. It waits and throws as request::read_body. Not thread-safe.
/// Lifetime: the request outlives it.
class multipart_reader {
 public:
  /// Throws status_error: 415 for another kind of body, 400 for a bad boundary.
  explicit multipart_reader(const request& in, const multipart_limits& bounds = {});
  multipart_reader(multipart_reader&&) noexcept;
  multipart_reader& operator=(multipart_reader&&) noexcept;
  ~multipart_reader();

  /// The next part, valid until the next call; null behind the last, once the body was found to end there.
  /// What was not read of the part before is read over.
  const multipart_part* next();
  /// A piece of the part; empty at its end. Valid until the next call of either.
  std::string_view read();

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace weft::inline v1::http
