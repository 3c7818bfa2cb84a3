#include "cli/age_text.hpp"

#include <array>
#include <utility>

namespace weft::inline v1::cli {

std::string age_text(std::chrono::milliseconds age) {
  constexpr std::array<std::pair<char, long long>, 4> units = {
      {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
  auto left = std::chrono::floor<std::chrono::seconds>(age).count();
  std::string text;
  int shown = 0;
  for (const auto& [unit, seconds] : units) {
    const auto count = left / seconds;
    left %= seconds;
    if ((count == 0 && shown == 0 && unit != 's') || shown == 2) continue;
    if (shown++ > 0) text += ' ';
    text += std::to_string(count) + unit;
  }
  return text;
}

}  // namespace weft::inline v1::cli
