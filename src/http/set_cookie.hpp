#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace weft::inline v1::http::detail {

/// What a Set-Cookie field says: views into it (RFC 6265, 5.2). Of attributes that stand there twice the last
/// one counts.
struct set_cookie_field {
  std::string_view name;
  std::string_view value;
  std::optional<std::chrono::seconds> max_age = {};
  std::optional<std::chrono::sys_seconds> expires = {};
  std::string_view domain = {};  ///< without a dot in front; empty: none is said
  std::string_view path = {};    ///< begins with '/', or is empty: none is said
  bool secure = false;
  bool http_only = false;
};

/// Nothing for a field that is to be ignored. Attributes of more than `attribute_bytes_max` are passed over.
std::optional<set_cookie_field> read_set_cookie(std::string_view text, std::size_t attribute_bytes_max);

/// A date in any of the forms that servers write (RFC 6265, 5.1.1); nothing for what is none.
std::optional<std::chrono::sys_seconds> read_cookie_date(std::string_view text);

/// Of a cookie's name, in capital and small letters alike: browsers take __host- for __Host-.
bool has_prefix(std::string_view name, std::string_view prefix) noexcept;

}  // namespace weft::inline v1::http::detail
