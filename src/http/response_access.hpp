#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <weft/http/response.hpp>

namespace weft::inline v1::http::detail {

/// What server and client do with a response that users cannot.
struct response_access {
  /// Makes it as new, and keeps its memory.
  static void reset(response& of, body_sink* sink) noexcept {
    of.status_ = 200;
    of.touched_ = false;
    of.streaming_ = false;
    of.fields_.clear();
    of.body_.clear();
    of.length_.reset();
    of.trailers_.clear();
    of.sink_ = sink;
  }
  /// Takes over status and body, and header fields and trailers beside those that it has of other names.
  static void assign(response& to, response&& from) {
    to.status_ = from.status_;
    to.touched_ = true;
    add_fields(to.fields_, std::move(from.fields_));
    to.body_ = std::move(from.body_);
    to.length_ = from.length_;
    add_fields(to.trailers_, std::move(from.trailers_));
  }
  /// Both as on the wire. Those of `more` replace all of their names; but each Set-Cookie stays.
  static void add_fields(std::string& lines, std::string&& more);
  static void received(response& into, int status) noexcept { into.status_ = status; }
  static std::string& fields(response& of) noexcept { return of.fields_; }
  static std::string& trailers(response& of) noexcept { return of.trailers_; }
  static std::string& body(response& of) noexcept { return of.body_; }
  static std::optional<std::uint64_t> length(const response& of) noexcept { return of.length_; }
  /// The connection that it belongs to; null for none.
  static protocol_host* host(response& of) noexcept { return of.sink_; }
  static bool touched(const response& of) noexcept { return of.touched_; }
  static void set_streaming(response& of) noexcept { of.streaming_ = true; }
};

/// The value of the first field of that name in "Name: value\r\n" lines.
std::optional<std::string_view> find_field(std::string_view lines, std::string_view name) noexcept;

}  // namespace weft::inline v1::http::detail
