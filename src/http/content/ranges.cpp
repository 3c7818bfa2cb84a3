#include <weft/http/ranges.hpp>

#include <algorithm>
#include <optional>

#include <weft/core/clock.hpp>

#include "http/chars.hpp"
#include "http/http_date.hpp"

namespace weft::inline v1::http {

namespace {

constexpr std::uint64_t very_many = ~std::uint64_t{0};

/// Digits only; a number that is too large counts as very many.
std::optional<std::uint64_t> read_number(std::string_view digits) noexcept {
  if (!detail::digit_bytes.spells(digits)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : digits) {
    if (value > (very_many - 9) / 10) return very_many;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

/// Reads "0-9", "10-" or "-5". False where it is none; no bytes where there are none of them.
bool read_range(std::string_view text, std::uint64_t size, byte_range& into) noexcept {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return false;
  const std::string_view from = text.substr(0, dash);
  const std::string_view to = text.substr(dash + 1);
  if (from.empty()) {
    const auto count = read_number(to);
    if (!count) return false;
    into.bytes = std::min(*count, size);
    into.first = size - into.bytes;
    return true;
  }
  const auto first = read_number(from);
  const auto last = to.empty() ? std::optional(very_many) : read_number(to);
  if (!first || !last || *last < *first) return false;
  into.first = *first;
  into.bytes = *first >= size ? 0 : std::min(*last, size - 1) - *first + 1;
  return true;
}

/// May parts of what the client has and of what is here be put together?
bool is_same_for_ranges(std::string_view if_range, const validators& now) {
  if (const auto tag = parse_entity_tag(if_range)) return now.tag && is_same_bytes(*tag, *now.tag);
  const auto date = detail::parse_http_date(if_range);
  // A time is a strong validator only once its second is over.
  return date && now.modified && *date == *now.modified &&
         *now.modified < std::chrono::floor<std::chrono::seconds>(wall_clock::now());
}

}  // namespace

chosen_ranges parse_ranges(std::string_view range, std::uint64_t size, std::size_t ranges_max) {
  constexpr std::string_view unit = "bytes=";
  chosen_ranges chosen;
  if (range.size() < unit.size() || !same_name(range.substr(0, unit.size()), unit)) return {};
  range.remove_prefix(unit.size());
  std::size_t asked = 0;
  std::uint64_t bytes = 0;
  for (bool more = true; more;) {
    const std::size_t comma = range.find(',');
    const std::string_view text = detail::trim_blanks(range.substr(0, comma));
    more = comma != std::string_view::npos;
    if (more) range.remove_prefix(comma + 1);
    if (text.empty()) continue;
    byte_range one;
    if (++asked > ranges_max || !read_range(text, size, one)) return {};
    if (one.bytes == 0) continue;
    bytes += one.bytes;
    if (bytes > size) return {};
    chosen.ranges.push_back(one);
  }
  if (asked == 0) return {};
  chosen.outcome = chosen.ranges.empty() ? range_outcome::unsatisfiable : range_outcome::partial;
  return chosen;
}

chosen_ranges choose_ranges(const request& in, const validators& now, std::uint64_t size,
                            std::size_t ranges_max) {
  if (in.method() != "GET") return {};
  const std::optional<std::string_view> range = in.header("Range");
  if (!range) return {};
  const auto is_range = [](const header& field) { return same_name(field.name, "Range"); };
  if (std::count_if(in.headers().begin(), in.headers().end(), is_range) > 1) return {};
  if (const auto condition = in.header("If-Range"); condition && !is_same_for_ranges(*condition, now))
    return {};
  return parse_ranges(*range, size, ranges_max);
}

}  // namespace weft::inline v1::http
