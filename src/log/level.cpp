#include <weft/log/level.hpp>

#include <array>

namespace weft::inline v1::log {
namespace {

constexpr std::array<std::string_view, 6> level_names{"debug", "info", "warn", "error", "critical", "off"};

}  // namespace

std::string_view to_string(level of) noexcept {
  const auto index = static_cast<std::size_t>(of);
  return index < level_names.size() ? level_names[index] : "off";
}

std::optional<level> level_from_string(std::string_view name) noexcept {
  for (std::size_t index = 0; index < level_names.size(); ++index) {
    if (level_names[index] == name) return static_cast<level>(index);
  }
  return std::nullopt;
}

int number_of(level of) noexcept {
  switch (of) {
    case level::debug:
      return 40;
    case level::info:
      return 30;
    case level::warn:
      return 20;
    default:
      return 10;
  }
}

level level_from_number(int number) noexcept {
  if (number <= 10) return level::error;
  if (number <= 20) return level::warn;
  return number <= 30 ? level::info : level::debug;
}

}  // namespace weft::inline v1::log
