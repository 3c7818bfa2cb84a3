#include <weft/config/closest_name.hpp>

#include <algorithm>
#include <numeric>

namespace weft::inline v1::config {

namespace {

/// How many letters one has to change, add, leave out or swap with the next one.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before_last(to.size() + 1);
  std::vector<std::size_t> last(to.size() + 1);
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t changed = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[to.size()];
}

}  // namespace

std::string closest_name(std::string_view given, const std::vector<std::string>& names) {
  constexpr std::size_t compared_max = 64;
  if (given.size() > compared_max) return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(given.size() / 3, 1) + 1;
  for (const auto& one : names) {
    const auto far = distance(given, one);
    if (far < least) {
      least = far;
      best = one;
    }
  }
  return best;
}

}  // namespace weft::inline v1::config
