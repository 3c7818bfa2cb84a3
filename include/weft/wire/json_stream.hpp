#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <weft/wire/json_value.hpp>

namespace weft::inline v1::wire {

/// Lists and objects that follow each other in a stream of bytes, with nothing or white space between.
///
/// The bytes may come in pieces of any size, cut anywhere: the values are the same. A value is checked when
/// its last bracket is there; what cannot begin one, and nesting beyond json_depth_max, is found at once. Of
/// a value that is not complete at most `bytes_max` bytes are held. After an error it is of no more use.
///
/// Values are as parse_json() makes them, except that a number too large for a double is infinite: one value
/// that cannot be held does not end a stream of others.
class json_stream {
 public:
  explicit json_stream(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Adds what came in.
  void append(std::string_view piece);
  /// The next complete value. Throws weft::error: malformed, too_large.
  std::optional<json_value> next();
  /// The byte with which the next value begins, if it is there and nothing of that value was looked at.
  std::optional<char> first_byte();
  /// The bytes that belong to no complete value yet. They are gone from here then.
  std::string take_rest();
  bool is_empty() const noexcept { return begin_ == buffer_.size(); }

 private:
  void skip_space() noexcept;
  bool find_end();
  void look_at(char one);

  std::size_t bytes_max_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of the next value
  std::size_t seen_ = 0;   // bytes of it that were looked at
  std::size_t depth_ = 0;  // brackets that are open there
  bool in_text_ = false;
  bool escaped_ = false;  // behind a backslash
};

}  // namespace weft::inline v1::wire
