#include <weft/config/units.hpp>

#include <cctype>
#include <charconv>
#include <limits>

namespace weft::inline v1::config {
namespace {

using std::chrono::microseconds;

constexpr std::int64_t longest_micros = std::int64_t{1000} * 366 * 86400 * 1'000'000;

struct unit {
  std::string_view name;
  std::int64_t size;
};
// Those of two letters come before those that begin as they do.
constexpr unit times[] = {{"us", 1},
                          {"ms", 1000},
                          {"d", std::int64_t{86400} * 1'000'000},
                          {"h", std::int64_t{3600} * 1'000'000},
                          {"m", 60'000'000},
                          {"s", 1'000'000}};
constexpr std::int64_t kibi = 1024;
constexpr std::int64_t kilo = 1000;
constexpr unit sizes[] = {{"TiB", kibi* kibi* kibi* kibi},
                          {"GiB", kibi* kibi* kibi},
                          {"MiB", kibi* kibi},
                          {"KiB", kibi},
                          {"TB", kilo* kilo* kilo* kilo},
                          {"GB", kilo* kilo* kilo},
                          {"MB", kilo* kilo},
                          {"kB", kilo},
                          {"B", 1}};

bool begins_with_digit(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0;
}

/// Takes the unit at the front of `text` away; 0 where there is none.
std::int64_t take_unit(std::string_view& text) {
  for (const auto& one : times) {
    if (!text.starts_with(one.name)) continue;
    text.remove_prefix(one.name.size());
    return one.size;
  }
  return 0;
}

std::int64_t take_number(std::string_view& text) {
  std::int64_t number = -1;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc()) return -1;
  text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
  return number;
}

}  // namespace

std::optional<microseconds> duration_from_text(std::string_view text) {
  if (!begins_with_digit(text)) return std::nullopt;
  std::int64_t sum = 0;
  bool is_bare = false;
  bool is_first = true;
  while (!text.empty()) {
    const std::int64_t number = take_number(text);
    std::int64_t micros = take_unit(text);
    if (number < 0 || is_bare || (micros == 0 && !text.empty())) return std::nullopt;
    if (micros == 0) {
      if (!is_first) return std::nullopt;  // "1h30": of what?
      is_bare = true;
      micros = 1'000'000;
    }
    if (number > (longest_micros - sum) / micros) return std::nullopt;
    sum += number * micros;
    is_first = false;
  }
  return microseconds(sum);
}

std::string duration_text(microseconds span) {
  if (span.count() == 0) return "0s";
  std::string text = span.count() < 0 ? "-" : "";
  auto left = static_cast<std::uint64_t>(span.count());
  if (span.count() < 0) left = 0 - left;
  for (const char* const name : {"d", "h", "m", "s", "ms", "us"}) {
    for (const auto& one : times) {
      if (one.name != name) continue;
      const auto size = static_cast<std::uint64_t>(one.size);
      if (left >= size) text += std::to_string(left / size) + name;
      left %= size;
    }
  }
  return text;
}

std::optional<byte_size> byte_size_from_text(std::string_view text) {
  if (!begins_with_digit(text)) return std::nullopt;
  std::uint64_t size = 1;
  for (const auto& one : sizes) {
    if (!text.ends_with(one.name)) continue;
    text.remove_suffix(one.name.size());
    size = static_cast<std::uint64_t>(one.size);
    break;
  }
  std::uint64_t whole = 0;
  auto end = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (end.ec != std::errc() || whole > std::numeric_limits<std::uint64_t>::max() / size) return std::nullopt;
  std::uint64_t bytes = whole * size;
  text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
  if (text.empty()) return byte_size{bytes};
  // Digits behind the point: of the unit.
  constexpr std::size_t digits_max = 6;
  if (text.size() < 2 || text.size() > 1 + digits_max || text.front() != '.') return std::nullopt;
  std::uint64_t part = 0;
  end = std::from_chars(text.data() + 1, text.data() + text.size(), part);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || text[1] == '-') return std::nullopt;
  std::uint64_t tenths = 1;
  for (std::size_t digit = 1; digit < text.size(); ++digit) tenths *= 10;
  // At most 10^6 of a unit of at most 2^40.
  if (part * size % tenths != 0 || bytes > std::numeric_limits<std::uint64_t>::max() - part * size / tenths)
    return std::nullopt;
  return byte_size{bytes + part * size / tenths};
}

std::string byte_size_text(byte_size size) {
  for (const auto& one : sizes) {
    const auto of = static_cast<std::uint64_t>(one.size);
    if (of > 1 && size.bytes >= of && size.bytes % of == 0)
      return std::to_string(size.bytes / of) + std::string(one.name);
  }
  return std::to_string(size.bytes);
}

}  // namespace weft::inline v1::config
