#include "cli/time_text.hpp"

#include <cctype>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>

#include "cli/age_text.hpp"

namespace weft::cli {

namespace {

using std::chrono::microseconds;

constexpr std::int64_t longest_micros = std::int64_t{1000} * 366 * 86400 * 1'000'000;

struct unit {
  std::string_view name;
  std::int64_t micros;
};
// Those of two letters come before those that begin as they do.
constexpr unit units[] = {{"ms", 1000},
                          {"d", std::int64_t{86400} * 1'000'000},
                          {"h", std::int64_t{3600} * 1'000'000},
                          {"m", 60'000'000},
                          {"s", 1'000'000}};

/// Takes the unit at the front of `text` away; 0 where there is none.
std::int64_t take_unit(std::string_view& text) {
  for (const auto& one : units) {
    if (!text.starts_with(one.name)) continue;
    text.remove_prefix(one.name.size());
    return one.micros;
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

std::string relative_text(microseconds from_now) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(from_now);
  if (ms >= std::chrono::seconds(1)) return "in " + age_text(ms);
  if (ms <= std::chrono::seconds(-1)) return age_text(-ms) + " ago";
  return "now";
}

std::optional<microseconds> duration_from_text(std::string_view text) {
  if (text.empty() || !std::isdigit(static_cast<unsigned char>(text.front()))) return std::nullopt;
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

std::optional<std::chrono::sys_time<microseconds>> moment_from_text(std::string_view text) {
  const std::string given(text);
  std::tm parts{};
  const char* rest = ::strptime(given.c_str(), "%Y-%m-%d", &parts);
  if (rest == nullptr || (*rest != 'T' && *rest != ' ')) return std::nullopt;
  const char* const time = rest + 1;
  rest = ::strptime(time, "%H:%M:%S", &parts);
  if (rest == nullptr) {
    parts.tm_sec = 0;
    rest = ::strptime(time, "%H:%M", &parts);
  }
  if (rest == nullptr) return std::nullopt;
  std::tm zone{};
  const bool is_here = *rest == '\0';
  if (!is_here) rest = ::strptime(rest, "%z", &zone);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  parts.tm_isdst = -1;
  std::tm back = parts;
  const std::time_t since_1970 = is_here ? std::mktime(&back) : ::timegm(&back) - zone.tm_gmtoff;
  // What is no date or time was taken for another one.
  if (back.tm_mday != parts.tm_mday || back.tm_hour != parts.tm_hour || back.tm_min != parts.tm_min)
    return std::nullopt;
  return std::chrono::sys_time<microseconds>(std::chrono::seconds(since_1970));
}

}  // namespace weft::cli
