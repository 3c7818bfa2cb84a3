#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

#include <weft/log/record.hpp>

// What the forms of a line have in common.

namespace weft::inline v1::log::detail {

template <typename Number>
void append_number(std::string& out, Number value, std::size_t width = 0) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  const auto digits = static_cast<std::size_t>(end - buffer.data());
  if (digits < width) out.append(width - digits, '0');
  out.append(buffer.data(), digits);
}

/// 2026-03-01T12:00:00.000123Z
void append_time(std::string& out, record_time time);

/// A field's value as lines for people and logfmt show it: text and JSON in quotes unless one plain word, so
/// that nothing in it is taken for another value.
void append_value(std::string& out, const field_value& from);

/// What is behind the last '/'.
std::string_view file_name(std::string_view path) noexcept;

/// By which names the fields and context values of one record are shown, so that none is there twice.
class shown_names {
 public:
  explicit shown_names(const record& of) noexcept : of_(of) {}
  std::string of_field(const field& one) const;
  std::string of_context(const context_field& one) const;

 private:
  const record& of_;
};

}  // namespace weft::inline v1::log::detail
