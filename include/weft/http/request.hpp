#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/closure/parameter.hpp>
#include <weft/context/context.hpp>
#include <weft/context/key.hpp>
#include <weft/core/error.hpp>
#include <weft/http/cookie.hpp>
#include <weft/http/form.hpp>
#include <weft/http/header.hpp>
#include <weft/http/text_value.hpp>
#include <weft/wire/json.hpp>

namespace weft::inline v1 {
class services;
}

namespace weft::inline v1::net {
class endpoint;
namespace tls {
struct session;
}
}  // namespace weft::inline v1::net

namespace weft::inline v1::http {

/// The id of the request in whose work the task runs: taken from X-Request-Id where that is well
/// formed, else made. It follows the work into worker processes and jobs, and stands in log records.
inline constexpr key_spec request_id_spec{.name = "http.request_id", .wire = wire_policy::job, .log = true};
inline const key<std::string> request_id{request_id_spec};

/// How long a client waits for the answer, in whole milliseconds from when the request is there: the
/// handler's deadline is not later than that. What is no such number is ignored. http::client sends it where
/// the task that asks has a deadline.
inline constexpr std::string_view request_timeout_header = "X-Request-Timeout-Ms";

namespace detail {

/// What was captured by `{name}` in a route's pattern; decoded.
struct path_parameter {
  std::string_view name;
  std::string_view value;
};

class protocol_host;

/// Where the body of a request comes from.
class body_source {
 public:
  virtual std::string_view whole() = 0;
  virtual std::string_view next_piece() = 0;
  virtual bool is_whole() const noexcept = 0;  // whole() was, or is being, asked for
  virtual std::optional<std::string_view> trailer(std::string_view name) const noexcept = 0;

 protected:
  ~body_source() = default;
};

/// The services of one request, made when they are first asked for.
class request_services {
 public:
  virtual weft::services& get() = 0;

 protected:
  ~request_services() = default;
};

struct request_access;

/// What a request is made of; all of it views.
struct request_parts {
  std::string_view method = {};
  std::string_view target = {};
  std::string_view path = {};
  std::string_view query = {};
  std::string_view host = {};
  std::span<const http::header> headers = {};
  std::string_view body = {};  // where there is no source
  body_source* source = nullptr;
  std::optional<std::uint64_t> content_length = {};
  std::string_view id = {};
  std::string_view route = {};
  std::span<const path_parameter> parameters = {};
  protocol_host* connection = nullptr;
  request_services* services = nullptr;
};

[[noreturn]] void throw_no_parameter(std::string_view name);
[[noreturn]] void throw_bad_body(const error& unreadable);

}  // namespace detail

/// A request as a handler sees it. All text is a view into the connection's buffer, valid until the
/// handler returns; copy what shall live longer. Not thread-safe: a handler may hand it on to fibers of other
/// loops and to threads, which use it one after the other.
class request {
 public:
  explicit request(const detail::request_parts& parts) noexcept : parts_(parts) {}
  request(const request&) = delete;
  request& operator=(const request&) = delete;

  std::string_view method() const noexcept { return parts_.method; }
  /// As sent: path and query, percent-encoded.
  std::string_view target() const noexcept { return parts_.target; }
  /// Begins with '/'; percent-encoded as sent.
  std::string_view path() const noexcept { return parts_.path; }
  std::string_view query_string() const noexcept { return parts_.query; }
  std::string_view host() const noexcept { return parts_.host; }

  /// All of the body, decoded. In a handler whose route streams_body it waits for what has not come yet, and
  /// throws as read_body(), and weft::error (misuse) after it.
  std::string_view body() const { return parts_.source == nullptr ? parts_.body : parts_.source->whole(); }
  /// The next piece of the body, decoded, of at most 64 KiB; empty at its end. Valid until the next call. For
  /// routes that stream the body, which takes 64 KiB of memory then, whatever its size.
  ///
  /// Waits, at most for the route's body_timeout in all. A body that is malformed, too large or late is
  /// answered with 400, 413 or 408 (http::status_error); where the client leaves in the middle of it,
  /// weft::error (closed). A client that waits for "100 Continue" gets it with the first call.
  std::string_view read_body() const;
  /// Is the body to be read in pieces? Else all of it is here.
  bool streams_body() const noexcept { return parts_.source != nullptr && !parts_.source->is_whole(); }
  /// The first field of that name that came behind the body (a trailer of a chunked body); nothing where
  /// there is none, or where the body was not read to its end yet. Trailers are not among headers(): nothing
  /// that was decided by a header may be changed by one.
  std::optional<std::string_view> trailer(std::string_view name) const noexcept {
    return parts_.source == nullptr ? std::nullopt : parts_.source->trailer(name);
  }
  /// The length of the body where the client says it; nothing where it comes in chunks.
  std::optional<std::uint64_t> content_length() const noexcept { return parts_.content_length; }
  /// As the context key request_id.
  std::string_view id() const noexcept { return parts_.id; }

  /// The pattern of its route, "/users/{id}": what figures are counted by. Empty where none was found.
  std::string_view route() const noexcept { return parts_.route; }

  std::span<const http::header> headers() const noexcept { return parts_.headers; }
  /// The first header field of that name, without regard to case.
  std::optional<std::string_view> header(std::string_view name) const noexcept {
    return find_header(parts_.headers, name);
  }
  /// The value of the first cookie of that name, as sent: see received_cookie.
  std::optional<std::string_view> cookie(std::string_view name) const noexcept;
  /// All cookies. More than cookies_max are answered with 431.
  std::vector<received_cookie> cookies() const;

  /// What stands at `{name}` of the route: `request.param<std::int64_t>("id")`. Text that is no such
  /// value is answered with 400. Throws weft::error (misuse) for a name that the route does not have.
  template <text_readable Value = std::string>
  Value param(std::string_view name) const {
    return detail::require_value<Value>(name, param_text(name));
  }

  /// The first value of `name` in the query, decoded; nothing where it is absent. Text that is no such
  /// value is answered with 400.
  template <text_readable Value = std::string>
  std::optional<Value> query(std::string_view name) const {
    const std::optional<std::string> text = query_text(name);
    if (!text) return std::nullopt;
    return detail::require_value<Value>(name, *text);
  }
  /// All values of the query: for names that come more than once, and for `query_fields().as<search>()`. A
  /// query that is badly encoded is answered with 400.
  form_fields query_fields() const { return form_fields::parse(parts_.query); }

  /// The form that was sent, as application/x-www-form-urlencoded or multipart/form-data. Files go to
  /// `options.folder`, written off this thread as they come where the route has streams_body; without one
  /// they are kept in memory. They are deleted with the form.
  ///
  /// Once for a request. Throws status_error: 415 for another kind of body, 400 for one that is malformed,
  /// 413 over a bound, 507 where the disk is full; weft::error for other failures of the folder; and as
  /// read_body().
  http::form form(const form_options& options = {}) const;

  /// The body, read as JSON. One that is no such value is answered with 400 and says where.
  template <encodable Value>
  Value json() const {
    const std::string_view text = body();
    try {
      return wire::from_json<Value>(text);
    } catch (const error& unreadable) {
      detail::throw_bad_body(unreadable);
    }
  }

  /// The services of this request: a child of server_options::services, which has the request itself as well,
  /// so that factories of per_request services may take http::request&. They end with the request, before its
  /// answer is sent where that is not streamed. Throws weft::error (misuse) where the server has none.
  weft::services& services() const;

  /// Who sent it.
  net::endpoint peer() const;
  /// What TLS agreed on, with the client's certificate where one was asked for; null without TLS.
  const net::tls::session* tls() const noexcept;

 private:
  friend struct detail::request_access;

  std::string_view param_text(std::string_view name) const;
  std::optional<std::string> query_text(std::string_view name) const;

  detail::request_parts parts_;
};

/// The first value of `name` in "a=1&b=two+words", with %XX and + decoded: a query, or the body of a
/// form. Nothing where it is absent or badly encoded.
std::optional<std::string> form_value(std::string_view form, std::string_view name);

/// Decodes %XX; nothing where the encoding is broken. With `plus_is_space` also '+'.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
/// Encodes every byte that is not unreserved in a URI: for one segment, name or value.
std::string percent_encode(std::string_view text);

}  // namespace weft::inline v1::http

namespace weft::inline v1::detail {

/// In factories of services a request comes from the container of its request: it is no service that somebody
/// could have forgotten to add.
template <typename P>
struct parameter_traits<P, http::request> {
  static constexpr bool is_value = !std::is_lvalue_reference_v<P>;
  static constexpr std::optional<requirement> needs = std::nullopt;
};

}  // namespace weft::inline v1::detail
