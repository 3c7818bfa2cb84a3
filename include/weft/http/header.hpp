#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace weft::inline v1::http {

/// One header field of a message: a view into the message, valid as long as it is.
struct header {
  std::string_view name;
  std::string_view value;  ///< without the spaces around it
};

/// Header names compare without regard to the case of ASCII letters.
bool same_name(std::string_view left, std::string_view right) noexcept;

/// The value of the first field with that name.
std::optional<std::string_view> find_header(std::span<const header> fields, std::string_view name) noexcept;

/// Is `token` one of the comma-separated elements of `list`? Without regard to case.
bool has_list_token(std::string_view list, std::string_view token) noexcept;

/// The usual words for a status, e.g. "Not Found" for 404; "Unknown" for one without.
std::string_view reason_phrase(int status) noexcept;

}  // namespace weft::inline v1::http
