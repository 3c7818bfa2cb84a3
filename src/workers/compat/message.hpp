#pragma once

#include <string>
#include <string_view>

#include <weft/wire/json_value.hpp>

// The messages of the older protocol, that of Perl's AnyEvent::Task: one JSON array behind the other.
// docs/formats/worker.md says them in words.

namespace weft::inline v1::workers::detail::compat {

/// How values stand in these messages.
inline constexpr wire::json_style style = wire::perl_json_style;
/// Lists around a value in a message: the message itself.
inline constexpr std::size_t depth_in_message = 1;

/// The beginning of a text, at most so many bytes, without a part of a character at its end.
std::string_view shortened(std::string_view text, std::size_t bytes_max) noexcept;

/// What a client asks: `["do",META,ARGUMENT...]` or `["dn",META]`. What stands in META is of no interest.
struct request {
  bool is_call = false;  ///< else the end of a checkout
  wire::json_value::list arguments;
};

/// Throws weft::error (malformed) for a message that is neither.
request read_request(wire::json_value message);

/// What a worker answers to a call: `["ok",META,VALUE]` or `["er",META,ERROR]`.
struct reply {
  bool ok = false;
  wire::json_value value;  ///< the result or the error
  wire::json_value log;    ///< of the call, in META; null where there is none
};

/// Throws weft::error (malformed) for a message that is neither.
reply read_reply(wire::json_value message);

// Each gives a whole message; `value`, `log` and `arguments` are JSON texts, `log` may be empty.

std::string write_reply(bool ok, std::string_view value, std::string_view log);
/// `arguments` is a list; an empty `name` is left out.
std::string write_call(std::string_view name, std::string_view arguments);
inline constexpr std::string_view release_message = R"(["dn",{}])";

}  // namespace weft::inline v1::workers::detail::compat
