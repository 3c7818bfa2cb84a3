#include <weft/trace/ids.hpp>

namespace weft::inline v1::trace {
namespace {

template <std::size_t Size>
std::string hex(const id<Size>& of) {
  constexpr auto& digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * Size);
  for (const std::uint8_t byte : of.bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace

std::string to_string(const trace_id& of) { return hex(of); }
std::string to_string(const span_id& of) { return hex(of); }

}  // namespace weft::inline v1::trace
