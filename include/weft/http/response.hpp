#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <weft/http/cookie.hpp>

namespace weft::inline v1::files {
class file;
}

namespace weft::inline v1::http {

class response;

/// Changes a streamed body on its way, as compression does: put into a response by response::filter. One
/// object for one answer, used by its task only.
class body_filter {
 public:
  virtual ~body_filter() = default;

  /// The first piece comes; status and header fields may still be changed. False: the body is left as it is,
  /// and this object is not asked again.
  virtual bool begin(response& head);
  /// Appends to `out` what is to be sent in place of `piece`. What it keeps back the client waits for.
  virtual void write(std::string_view piece, std::string& out) = 0;
  /// The body is at its end: appends what was kept back. Not called for a body that is cut off.
  virtual void end(std::string& out);
};

namespace detail {

class transport;

/// What a connection speaks after HTTP. It has the stream, and gives it back.
class switched_protocol {
 public:
  /// The server stops, or the client has gone where the host tells of that: to end soon. Called by another
  /// task.
  virtual void leave() noexcept = 0;
  /// The handler has returned: to end now.
  virtual void end_now() noexcept = 0;
  /// What it has of the connection's; null where it was lent nothing.
  virtual transport* lent() noexcept { return nullptr; }

 protected:
  ~switched_protocol() = default;
};

/// A connection that may be made something else.
class protocol_host {
 public:
  /// Sends `answer`, a whole head, and lends the stream; HTTP is over.
  virtual transport switch_protocol(std::string_view answer) = 0;
  /// What was read behind the request.
  virtual std::string_view received() const noexcept = 0;
  virtual void set_switched(switched_protocol& to) noexcept = 0;
  /// There is none any more; HTTP goes on.
  virtual void clear_switched() noexcept = 0;
  /// Does it tell what was set when the client has gone? Else that has to look at the connection.
  virtual bool tells_of_leaving() const noexcept { return false; }
  /// Also while it is lent.
  virtual transport& connection() noexcept = 0;
  /// The end of what was set, with the stream, unless it is closed.
  virtual void take_back(transport lent) noexcept = 0;

 protected:
  ~protocol_host() = default;
};

/// Where a streamed body goes.
class body_sink : public protocol_host {
 public:
  virtual void write_piece(response& of, std::string_view piece) = 0;
  virtual bool write_file(response& of, files::file& from, std::uint64_t offset, std::uint64_t bytes) = 0;
  virtual void add_filter(std::unique_ptr<body_filter> filter) = 0;

 protected:
  ~body_sink() = default;
};

struct response_access;

}  // namespace detail

/// An answer: made by a handler, or received by a client.
///
/// The server itself adds Date, Content-Length or Transfer-Encoding, Connection and X-Request-Id; a
/// body without a Content-Type is sent as plain text in UTF-8. Not thread-safe: a handler may hand its
/// response on to fibers of other loops and to threads, which use it one after the other.
class response {
 public:
  response() = default;
  /// With a plain text body, if `text` is not empty.
  explicit response(int status, std::string_view text = {});
  static response text(std::string_view body, int status = 200);
  static response json(std::string_view document, int status = 200);

  int status() const noexcept { return status_; }
  /// 200 to 599; throws weft::error (invalid_argument).
  response& status(int code);

  /// The first header field of that name. The view is valid until the next change of a header.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  /// Sets a header field in place of all others of that name. Throws weft::error (invalid_argument)
  /// for bytes that no header may have, such as a line break, and for fields that the server sets.
  response& header(std::string_view name, std::string_view value);
  /// Adds one beside others of that name, e.g. Set-Cookie.
  response& add_header(std::string_view name, std::string_view value);
  response& content_type(std::string_view type) { return header("Content-Type", type); }

  /// Adds a Set-Cookie, beside others, also of that name. Throws weft::error as set_cookie_text.
  response& set_cookie(std::string_view name, std::string_view value, const cookie_options& options = {});
  /// Makes the browser delete a cookie that was set with this domain and path.
  response& clear_cookie(std::string_view name, cookie_options options = {});

  const std::string& body() const noexcept { return body_; }
  response& body(std::string_view bytes);
  response& body(std::string&& bytes);
  response& body(const char* text) { return body(std::string_view(text)); }
  std::string take_body() noexcept { return std::move(body_); }

  /// Sends a piece of the body at once, chunked; status and headers are on their way after the first.
  /// Waits while the peer does not read. Outside a handler the pieces are gathered in the body.
  void write(std::string_view piece);
  /// Says how long the body will be that write() and send_file() send: it goes out with a Content-Length and
  /// not in chunks, unless a filter changes it. More throws weft::error (misuse); a handler that sends less
  /// has its connection closed, which tells the client. The answer to HEAD has the length and sends nothing.
  response& length(std::uint64_t bytes);
  /// As write(), with a part of a file, which need not go through this process (sendfile). What is not in
  /// memory yet is read on the pool, so that the loop does not wait for the disk. From here on the server's
  /// write_timeout, which is for each piece, bounds the answer, and no longer handler_timeout: a large file
  /// takes what it takes. Bounds within the handler hold. False where the file is shorter. Throws as
  /// files::file::read_at and write().
  bool send_file(files::file& from, std::uint64_t offset, std::uint64_t bytes);
  /// Adds a field that goes behind a body that is streamed in chunks, e.g. a digest of it; may be set until
  /// the handler returns. It is sent to those who say that they take trailers (TE: trailers), and else
  /// dropped. What is set before the first piece is announced in the header (Trailer). Throws as header(),
  /// also for fields that are of use only before the body (RFC 9110, 6.5.1): Content-Type, Set-Cookie.
  response& trailer(std::string_view name, std::string_view value);
  /// The first trailer of that name, which never is among the header fields; nothing without one.
  std::optional<std::string_view> trailer(std::string_view name) const noexcept;
  /// Lets `filter` change what write() sends. The last one added, which is the one nearest to the handler,
  /// sees the pieces first. A body that is not streamed is left alone: a middleware changes that after
  /// next(). So has it no effect outside a handler. Throws weft::error (misuse) once a piece was sent.
  void filter(std::unique_ptr<body_filter> filter);
  /// Was a piece sent?
  bool is_streaming() const noexcept { return streaming_; }

 private:
  friend struct detail::response_access;

  int status_ = 200;
  bool touched_ = false;
  bool streaming_ = false;
  std::string fields_;    // as on the wire: "Name: value\r\n" each
  std::string trailers_;  // as fields_
  std::string body_;
  std::optional<std::uint64_t> length_;  // of a body that is streamed
  detail::body_sink* sink_ = nullptr;    // the connection that the response belongs to, if any
};

}  // namespace weft::inline v1::http
