#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/logbook/defer.hpp>

namespace weft::inline v1::logbook {

namespace {

using wire::json_object;
using wire::json_value;

// Behind the start of the log, which nothing of it may be before.
json_value seconds_since(log::record_time start, log::record_time time) {
  if (time <= start) return 0;
  std::int64_t micros = 0;
  if (__builtin_sub_overflow(time.time_since_epoch().count(), start.time_since_epoch().count(), &micros)) {
    micros = std::numeric_limits<std::int64_t>::max();
  }
  return static_cast<double>(micros) / 1e6;
}

log::record_time end_of(const log::timing& from) {
  constexpr std::chrono::microseconds took_max(std::int64_t{1} << 60);
  const auto took = std::clamp(from.took.value_or(took_max), std::chrono::microseconds(0), took_max);
  return from.start > log::record_time::max() - took ? log::record_time::max() : from.start + took;
}

// A structure whose text is no JSON stands as that text.
json_value structure_of(const log::json_text& from) {
  try {
    return wire::parse_json(from.text);
  } catch (const error&) {
    return from.text;
  }
}

json_value value_of(const log::field& from) {
  return std::visit(
      [](const auto& held) -> json_value {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, log::json_text>) {
          return structure_of(held);
        } else {
          return held;
        }
      },
      from.value);
}

json_object object_of(const std::vector<log::field>& from) {
  std::vector<wire::json_member> members;
  members.reserve(from.size());
  for (const auto& one : from) members.push_back({one.name, value_of(one)});
  return json_object(std::move(members));
}

// [time, level, message, fields]; the fields alone where there is no message, but some of them.
json_value entry_of(const log::record& from, log::record_time start) {
  json_value::list entry{seconds_since(start, from.time), log::number_of(from)};
  std::vector<wire::json_member> more;
  for (const auto& one : from.context) more.push_back({one.name, one.text});
  for (const auto& one : from.fields) more.push_back({one.name, value_of(one)});
  if (!from.message.empty() || more.empty()) entry.emplace_back(from.message);
  if (!more.empty()) entry.emplace_back(json_object(std::move(more)));
  return entry;
}

// [name, start, end]
json_value entry_of(const log::timing& from, const log::collection& of, bool ends) {
  json_value::list entry{from.name, seconds_since(of.start, from.start)};
  if (from.took) {
    entry.push_back(seconds_since(of.start, end_of(from)));
  } else if (ends) {
    entry.push_back(seconds_since(of.start, std::max(of.end, from.start)));
  }
  return entry;
}

json_object object_of(const log::collection& from, bool ends) {
  std::vector<wire::json_member> made;
  made.push_back({"start", static_cast<double>(from.start.time_since_epoch().count()) / 1e6});
  if (ends) made.push_back({"end", seconds_since(from.start, from.end)});
  if (!from.records.empty()) {
    json_value::list entries;
    for (const auto& one : from.records) entries.push_back(entry_of(one, from.start));
    made.push_back({"logs", std::move(entries)});
  }
  if (!from.timers.empty()) {
    json_value::list entries;
    for (const auto& one : from.timers) entries.push_back(entry_of(one, from, ends));
    made.push_back({"timers", std::move(entries)});
  }
  if (!from.data.empty()) made.push_back({"data", object_of(from.data)});
  return json_object(std::move(made));
}

}  // namespace

json_object to_json(const log::collection& from) { return object_of(from, true); }
json_object to_open_json(const log::collection& from) { return object_of(from, false); }

std::string to_line(const log::collection& from) {
  return wire::to_text(to_json(from), wire::perl_json_style);
}

}  // namespace weft::inline v1::logbook
