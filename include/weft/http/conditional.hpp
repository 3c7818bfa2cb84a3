#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <weft/http/request.hpp>

namespace weft::inline v1::http {

/// The name of one state of a resource (ETag). A weak one names states that are as good as the same; a strong
/// one names the same bytes.
struct entity_tag {
  std::string text = {};  ///< without the quotes; visible bytes without '"'
  bool is_weak = false;
  friend bool operator==(const entity_tag&, const entity_tag&) = default;
};

/// As in a header field: "\"v1\"" or "W/\"v1\"". Throws weft::error (invalid_argument) for bytes that no tag
/// may have.
std::string to_string(const entity_tag& tag);
std::optional<entity_tag> parse_entity_tag(std::string_view text);
/// Strong comparison: both strong, and the same.
bool is_same_bytes(const entity_tag& one, const entity_tag& other) noexcept;
/// Weak comparison: the same but for their strength.
bool is_same_state(const entity_tag& one, const entity_tag& other) noexcept;

/// What a request's conditions are checked against.
struct validators {
  std::optional<entity_tag> tag = {};
  std::optional<std::chrono::sys_seconds> modified = {};
  bool exists = true;  ///< is there a resource at all? For PUT with If-None-Match: *
};

enum class precondition : unsigned char {
  holds,         ///< go on
  not_modified,  ///< the client has it already: 304, for GET and HEAD
  failed,        ///< 412
};

/// Looks at If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since in the order of RFC
/// 9110, 13.2.2. A date that is none is passed over; a list of tags that is none has no tag that fits. For
/// handlers that change things: check before, and change only if it holds. Never waits.
precondition check_preconditions(const request& in, const validators& now);

}  // namespace weft::inline v1::http
