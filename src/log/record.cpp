#include <weft/log/record.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

#include <weft/core/clock.hpp>

namespace weft::log {

record_time now() noexcept {
  return std::chrono::time_point_cast<std::chrono::microseconds>(wall_clock::now());
}

void merge(std::vector<record>& into, std::vector<record> more) {
  into.insert(into.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  std::stable_sort(into.begin(), into.end(),
                   [](const record& a, const record& b) { return a.time < b.time; });
}

void merge(collection& into, collection more) {
  merge(into.records, std::move(more.records));
  into.timers.insert(into.timers.end(), more.timers.begin(), more.timers.end());
  for (auto& one : more.data) {
    const auto same = std::find_if(into.data.begin(), into.data.end(),
                                   [&](const field& old) { return old.name == one.name; });
    if (same == into.data.end()) {
      into.data.push_back(std::move(one));
    } else {
      same->value = std::move(one.value);
    }
  }
  into.dropped += more.dropped;
}

}  // namespace weft::log
