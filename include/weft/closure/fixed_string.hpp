#pragma once

#include <cstddef>
#include <source_location>
#include <string_view>

namespace weft::inline v1 {

/// A string literal as a template argument: `named<logger, "payment">`.
template <std::size_t Size>
struct fixed_string {
  char chars[Size]{};

  consteval fixed_string(const char (&literal)[Size]) {  // NOLINT(google-explicit-constructor)
    for (std::size_t i = 0; i < Size; ++i) chars[i] = literal[i];
  }
  constexpr std::string_view view() const noexcept { return {chars, Size - 1}; }
};

namespace detail {

/// The name of a closure as a template argument, with the place where it is written: so the place is
/// known before main, also when the code around it never runs.
template <std::size_t Size>
struct closure_name {
  static constexpr std::size_t file_max = 48;  // of the end of the file name

  char chars[Size]{};
  char file[file_max]{};
  unsigned line = 0;
  unsigned column = 0;

  consteval closure_name(const char (&literal)[Size],  // NOLINT(google-explicit-constructor)
                         std::source_location place = std::source_location::current())
      : line(place.line()), column(place.column()) {
    for (std::size_t i = 0; i < Size; ++i) chars[i] = literal[i];
    std::string_view path = place.file_name();
    if (path.size() >= file_max) path.remove_prefix(path.size() - file_max + 1);
    for (std::size_t i = 0; i < path.size(); ++i) file[i] = path[i];
  }
  constexpr std::string_view view() const noexcept { return {chars, Size - 1}; }

  /// Letters, digits and `_ . : / -`, at most 128: what fits an identity's text.
  consteval bool is_valid() const {
    for (const char c : view()) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!letter && c != '_' && c != '.' && c != ':' && c != '/' && c != '-') return false;
    }
    return Size > 1 && Size <= 129;
  }
};

}  // namespace detail
}  // namespace weft::inline v1
