#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weft::inline v1::http {

/// A response whose head is here and whose body is read as it comes: 64 KiB of memory, whatever its size.
/// What client::open gives.
///
/// The connection is this object's until all of the body was read; it is kept for other requests then, and
/// closed where this object ends before. Waits are cancellation points; a cancelled read_body() ends the
/// response. Errors: weft::error as client::send. Thread-safety: none. Lifetime: may outlive the client.
class streamed_response {
 public:
  class impl;
  explicit streamed_response(std::unique_ptr<impl> made) noexcept;
  streamed_response(streamed_response&&) noexcept;
  streamed_response& operator=(streamed_response&&) noexcept;
  ~streamed_response();

  int status() const noexcept;
  /// The first header field of that name; valid as long as this.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  /// All fields as they came: "Name: value\r\n" each.
  const std::string& fields() const noexcept;

  /// The next piece of the body, decoded from chunks, and from gzip or deflate where the client asked for it;
  /// empty at its end. Valid until the next call. Waits until bytes come; the peer is not asked for more than
  /// is read.
  std::string_view read_body();
  /// The first field of that name that came behind a body in chunks; nothing without one, or before the end
  /// of the body. Never among fields(). Valid as long as this.
  std::optional<std::string_view> trailer(std::string_view name) const noexcept;

 private:
  std::unique_ptr<impl> impl_;
};

}  // namespace weft::inline v1::http
