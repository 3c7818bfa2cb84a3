#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <weft/http/conditional.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>

namespace weft::inline v1::files {
class file;
}

namespace weft::inline v1::http {

/// What is known of some content.
struct content_options {
  std::string type = {};  ///< Content-Type; empty: by no name
  http::validators validators = {};
  std::size_t ranges_max = 16;  ///< more in one request are answered with all of it
  std::string encoding = {};    ///< Content-Encoding that the bytes have; several ranges get all of it then
  std::string cache_control = {};  ///< Cache-Control; both are of the content: 412 and 416 do not have them
};

/// Answers a GET or HEAD with content that has an identity: as its conditions and ranges want it, with 200,
/// 206 (several ranges as multipart/byteranges), 304, 412 or 416. Sets ETag, Last-Modified, Accept-Ranges,
/// Content-Type, Content-Encoding, Cache-Control; other header fields are the caller's, before. Not for
/// answers that were given already.
///
///     http::send_content(in, out, report, {.type = "text/csv", .validators = {.tag =
///     http::entity_tag{"v7"}}});
///
/// Waits while the client does not read.
void send_content(request& in, response& out, std::string_view bytes, const content_options& options = {});
/// With the whole of a file, which has `bytes` of them. One that has become shorter throws weft::error
/// (unavailable), and its connection is closed; what it grows is not sent. The handler's deadline does not
/// end it, as response::send_file says.
void send_content(request& in, response& out, files::file& from, std::uint64_t bytes,
                  const content_options& options = {});

/// The usual media type of a name's ending, e.g. "text/css; charset=utf-8"; application/octet-stream for
/// others.
std::string_view content_type_of(std::string_view file_name) noexcept;

}  // namespace weft::inline v1::http
