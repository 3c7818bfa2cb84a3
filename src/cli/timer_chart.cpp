#include "cli/timer_chart.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include <weft/log/escape.hpp>

namespace weft::inline v1::cli {

namespace {

using std::chrono::microseconds;

constexpr std::string_view legend = "times in ms";
constexpr std::size_t bar_columns_min = 10;

struct bar {
  std::string name;
  microseconds start{};  // since the start of the log
  microseconds end{};
  bool runs = false;
};

std::vector<bar> bars_of(const log::collection& from) {
  std::vector<bar> all;
  for (const auto& one : from.timers) {
    bar made;
    log::append_escaped(made.name, one.name);
    made.start = std::max(one.start - from.start, microseconds(0));
    made.runs = !one.took;
    made.end = std::max(made.start, made.runs ? from.end - from.start : made.start + *one.took);
    all.push_back(std::move(made));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const bar& one, const bar& other) { return one.start < other.start; });
  return all;
}

// Characters of UTF-8, each taken for a column.
std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char one) { return (static_cast<unsigned char>(one) & 0xC0U) != 0x80U; }));
}

std::string cut(std::string_view text, std::size_t columns_max) {
  if (columns_of(text) <= columns_max) return std::string(text);
  std::size_t bytes = 0;
  for (std::size_t columns = 0; bytes < text.size(); ++bytes) {
    const bool begins = (static_cast<unsigned char>(text[bytes]) & 0xC0U) != 0x80U;
    if (begins && ++columns == columns_max) break;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

class chart {
 public:
  chart(std::vector<bar> bars, std::size_t width) : bars_(std::move(bars)) {
    for (auto& one : bars_) {
      one.name = cut(one.name, std::max(legend.size(), width / 3));
      name_columns_ = std::max(name_columns_, columns_of(one.name));
      span_ = std::max(span_, one.end);
    }
    bar_columns_ = std::max(bar_columns_min, width > name_columns_ + 2 ? width - name_columns_ - 2 : 0);
  }

  std::string text() const {
    std::string all;
    for (const auto& one : bars_) all += padded(one.name) + ' ' + drawn(one) + '\n';
    all += std::string(name_columns_ + 1 + bar_columns_, '_') + '\n';
    std::vector<microseconds> starts;
    std::vector<microseconds> ends;
    for (const auto& one : bars_) {
      starts.push_back(one.start);
      ends.push_back(one.end);
    }
    std::sort(ends.begin(), ends.end());
    std::set<std::string> shown;
    all += padded(legend) + ' ' + times(starts, shown) + '\n';
    const auto second = times(ends, shown);
    if (!second.empty()) all += std::string(name_columns_ + 1, ' ') + second + '\n';
    return all;
  }

 private:
  std::string padded(std::string_view name) const {
    return std::string(name_columns_ - columns_of(name), ' ').append(name);
  }

  std::size_t column(microseconds time) const {
    if (span_.count() == 0) return 0;
    const auto part = static_cast<double>(time.count()) / static_cast<double>(span_.count());
    return static_cast<std::size_t>(part * static_cast<double>(bar_columns_ - 1));
  }

  std::string drawn(const bar& one) const {
    const auto from = column(one.start);
    const auto to = column(one.end);
    std::string line(from, ' ');
    if (to == from) return line + 'X';
    return line + '|' + std::string(to - from - 1, '=') + (one.runs ? '>' : '|');
  }

  // Each at its column, or behind the one before; those nearly the same as another are left out.
  std::string times(const std::vector<microseconds>& all, std::set<std::string>& shown) const {
    constexpr int nearly_the_same_part = 20;
    std::string line;
    const microseconds* last = nullptr;
    for (const auto& one : all) {
      if (last != nullptr && (one - *last) * nearly_the_same_part < span_) continue;
      last = &one;
      const auto text = ms_text(one);
      if (!shown.insert(text).second) continue;
      const auto room = std::min(column(one), bar_columns_ - std::min(bar_columns_, text.size()));
      const auto at = std::max(room, line.empty() ? 0 : line.size() + 1);
      line.append(at - line.size(), ' ').append(text);
    }
    return line;
  }

  std::vector<bar> bars_;
  std::size_t name_columns_ = legend.size();
  std::size_t bar_columns_ = 0;
  microseconds span_{};
};

}  // namespace

std::string ms_text(std::chrono::microseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", static_cast<double>(time.count()) / 1000);
  return text;
}

std::string timer_chart(const log::collection& from, std::size_t width) {
  if (from.timers.empty()) return {};
  return chart(bars_of(from), width).text();
}

}  // namespace weft::inline v1::cli
