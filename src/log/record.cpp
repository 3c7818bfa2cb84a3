#include <weft/log/record.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

#include <weft/core/clock.hpp>

namespace weft::inline v1::log {

record_time now() noexcept {
  return std::chrono::time_point_cast<std::chrono::microseconds>(wall_clock::now());
}

int number_of(const record& one) noexcept { return one.number != 0 ? one.number : number_of(one.level); }

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

namespace {

// Times may come from anywhere: one that leaves no room for sums is as far away as any.
record_time bounded(record_time time) noexcept {
  constexpr record_time far(std::chrono::microseconds(std::int64_t{1} << 60));
  constexpr record_time long_ago(-far.time_since_epoch());
  return std::clamp(time, long_ago, far);
}

}  // namespace

void fit_into_call(collection& log, record_time sent, record_time answered) noexcept {
  log.start = bounded(log.start);
  log.end = bounded(log.end);
  std::chrono::microseconds shift{0};
  if (log.start < sent) {
    shift = sent - log.start;
  } else if (log.end > answered) {
    // One that took longer than the call, by a clock that was set meanwhile, begins with it.
    shift = std::max(answered - log.end, sent - log.start);
  }
  log.start += shift;
  log.end += shift;
  for (auto& one : log.records) one.time = bounded(one.time) + shift;
  for (auto& one : log.timers) {
    one.start = bounded(one.start) + shift;
    if (!one.took) one.took = std::max(answered - one.start, std::chrono::microseconds(0));
  }
}

}  // namespace weft::inline v1::log
