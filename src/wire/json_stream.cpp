#include <weft/wire/json_stream.hpp>

#include <algorithm>

#include <weft/core/error.hpp>

#include "wire/json_tape.hpp"

// The end of a value is found by counting brackets outside of texts, which does not depend on how the
// bytes came; what is between the brackets is then read as a whole.

namespace weft::inline v1::wire {

namespace {

constexpr std::string_view white_space = " \t\r\n";

// Do they matter outside, and inside of a text?
constexpr bool is_mark(char one) noexcept {
  return one == '[' || one == ']' || one == '{' || one == '}' || one == '"';
}
constexpr bool is_mark_in_text(char one) noexcept { return one == '"' || one == '\\'; }

}  // namespace

void json_stream::append(std::string_view piece) {
  if (begin_ == buffer_.size()) {
    buffer_.clear();
    begin_ = 0;
  } else if (begin_ > buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_ += piece;
}

void json_stream::skip_space() noexcept {
  if (seen_ != 0) return;
  begin_ = std::min(buffer_.find_first_not_of(white_space, begin_), buffer_.size());
}

std::optional<char> json_stream::first_byte() {
  skip_space();
  if (seen_ != 0 || begin_ == buffer_.size()) return std::nullopt;
  return buffer_[begin_];
}

void json_stream::look_at(char one) {
  if (in_text_) {
    if (one == '"') in_text_ = false;
    if (one == '\\') escaped_ = true;
    return;
  }
  if (one == '"') {
    in_text_ = true;
  } else if (one == '[' || one == '{') {
    if (++depth_ > json_depth_max) {
      throw error(errc::too_large, "read JSON: lists and objects are nested more than " +
                                       std::to_string(json_depth_max) + " deep");
    }
  } else {
    --depth_;
  }
}

// True when `seen_` is behind the value's last bracket.
bool json_stream::find_end() {
  while (begin_ + seen_ < buffer_.size()) {
    if (escaped_) {
      escaped_ = false;
      ++seen_;
      continue;
    }
    const auto from = buffer_.begin() + static_cast<std::ptrdiff_t>(begin_ + seen_);
    const auto at = in_text_ ? std::find_if(from, buffer_.end(), is_mark_in_text)
                             : std::find_if(from, buffer_.end(), is_mark);
    seen_ = static_cast<std::size_t>(at - buffer_.begin()) - begin_;
    if (at == buffer_.end()) break;
    ++seen_;
    look_at(*at);
    if (depth_ == 0) break;
  }
  if (seen_ > bytes_max_) {
    throw error(errc::too_large, "read JSON: a value has more than " + std::to_string(bytes_max_) + " bytes");
  }
  return depth_ == 0;
}

std::optional<json_value> json_stream::next() {
  const auto first = first_byte();
  if (first && *first != '[' && *first != '{') {
    throw error(errc::malformed, "read JSON: a value begins with neither [ nor {");
  }
  if (begin_ == buffer_.size() || !find_end()) return std::nullopt;
  const auto text = std::string_view(buffer_).substr(begin_, seen_);
  begin_ += seen_;
  seen_ = 0;
  detail::json_tape tape(json_values_max(bytes_max_), true);
  tape.read(text, json_depth_max);
  std::size_t at = 0;
  return detail::take_value(tape, at);
}

std::string json_stream::take_rest() {
  std::string rest = buffer_.substr(begin_);
  buffer_.clear();
  begin_ = seen_ = depth_ = 0;
  in_text_ = escaped_ = false;
  return rest;
}

}  // namespace weft::inline v1::wire
