#include <weft/context/key.hpp>

namespace weft::inline v1 {

std::string context_codec<std::string>::to_text(const std::string& value) { return value; }

std::optional<std::string> context_codec<std::string>::from_text(std::string_view text) {
  return std::string(text);
}

std::string context_codec<bool>::to_text(bool value) { return value ? "true" : "false"; }

std::optional<bool> context_codec<bool>::from_text(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

using time_codec = context_codec<std::chrono::system_clock::time_point>;

std::string time_codec::to_text(time value) {
  const auto since_1970 = std::chrono::duration_cast<std::chrono::microseconds>(value.time_since_epoch());
  return context_codec<std::int64_t>::to_text(since_1970.count());
}

std::optional<time_codec::time> time_codec::from_text(std::string_view text) {
  const auto value = context_codec<std::int64_t>::from_text(text);
  return value ? std::optional<time>(time(std::chrono::microseconds(*value))) : std::nullopt;
}

}  // namespace weft::inline v1
