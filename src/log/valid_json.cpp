#include "log/valid_json.hpp"

#include <cstddef>

#include <weft/log/escape.hpp>

namespace weft::inline v1::log::detail {
namespace {

constexpr int depth_max = 32;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool has_c1_control(std::string_view text) noexcept {
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    const auto next = static_cast<unsigned char>(text[at + 1]);
    if (text[at] == '\xc2' && next < 0xa0) return true;
  }
  return false;
}

/// Reads one value (RFC 8259), and appends it as it goes. Each function is false where the text is none.
class copier {
 public:
  copier(std::string_view from, std::string& out) : from_(from), out_(out) {}

  bool copy_all() {
    skip_space();
    if (!value(0)) return false;
    skip_space();
    return at_ == from_.size();
  }

 private:
  char next() const noexcept { return at_ < from_.size() ? from_[at_] : '\0'; }
  void take() { out_ += from_[at_++]; }
  bool take_if(char c) {
    if (next() != c) return false;
    take();
    return true;
  }
  void skip_space() {
    while (next() == ' ' || next() == '\t' || next() == '\n' || next() == '\r') ++at_;
  }

  bool value(int depth) {
    if (depth > depth_max) return false;
    switch (next()) {
      case '{':
        return members('}', depth, true);
      case '[':
        return members(']', depth, false);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool members(char end, int depth, bool named) {
    take();
    skip_space();
    if (take_if(end)) return true;
    for (;;) {
      if (named && !name()) return false;
      if (!value(depth + 1)) return false;
      skip_space();
      if (take_if(end)) return true;
      if (!take_if(',')) return false;
      skip_space();
    }
  }

  bool name() {
    if (!string()) return false;
    skip_space();
    if (!take_if(':')) return false;
    skip_space();
    return true;
  }

  bool word(std::string_view expected) {
    if (!from_.substr(at_).starts_with(expected)) return false;
    out_ += expected;
    at_ += expected.size();
    return true;
  }

  bool digits() {
    if (!is_digit(next())) return false;
    while (is_digit(next())) take();
    return true;
  }

  bool number() {
    take_if('-');
    if (!take_if('0') && !digits()) return false;
    if (take_if('.') && !digits()) return false;
    if (next() != 'e' && next() != 'E') return true;
    take();
    if (next() == '+' || next() == '-') take();
    return digits();
  }

  bool string() {
    if (!take_if('"')) return false;
    while (at_ < from_.size()) {
      const char c = from_[at_];
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
      take();
      if (c == '"') return true;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }

  bool escape() {
    const char c = next();
    if (c == '\0' || std::string_view("\"\\/bfnrtu").find(c) == std::string_view::npos) return false;
    take();
    if (c != 'u') return true;
    for (int digit = 0; digit < 4; ++digit) {
      if (!is_hex(next())) return false;
      take();
    }
    return true;
  }

  const std::string_view from_;
  std::string& out_;
  std::size_t at_ = 0;
};

}  // namespace

bool append_valid_json(std::string& out, std::string_view text) {
  if (to_utf8(text) != text || has_c1_control(text)) return false;  // what terminals obey is to be escaped
  const std::size_t before = out.size();
  if (copier(text, out).copy_all()) return true;
  out.resize(before);
  return false;
}

}  // namespace weft::inline v1::log::detail
