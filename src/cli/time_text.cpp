#include "cli/time_text.hpp"

#include <cstdio>
#include <ctime>
#include <string>

#include "cli/age_text.hpp"

namespace weft::inline v1::cli {

namespace {

using std::chrono::microseconds;

}  // namespace

std::string relative_text(microseconds from_now) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(from_now);
  if (ms >= std::chrono::seconds(1)) return "in " + age_text(ms);
  if (ms <= std::chrono::seconds(-1)) return age_text(-ms) + " ago";
  return "now";
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

}  // namespace weft::inline v1::cli
