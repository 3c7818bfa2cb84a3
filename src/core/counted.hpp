#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace weft::inline v1 {

/// "1 job", "2 jobs", for people; `many` where an "s" does not do it.
inline std::string counted(std::integral auto number, std::string_view one, std::string_view many = {}) {
  std::string text = std::to_string(number);
  text += ' ';
  text += number == 1 || many.empty() ? one : many;
  if (number != 1 && many.empty()) text += 's';
  return text;
}

}  // namespace weft::inline v1
