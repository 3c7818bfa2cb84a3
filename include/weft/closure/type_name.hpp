#pragma once

#include <string_view>

namespace weft::inline v1::detail {

/// The type's name as the compiler spells it: for people, never for identity.
template <typename T>
constexpr std::string_view type_name() noexcept {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("T = ") + 4);
  return text.substr(0, text.find_last_of(']') < text.find(';') ? text.find_last_of(']') : text.find(';'));
}

}  // namespace weft::inline v1::detail
