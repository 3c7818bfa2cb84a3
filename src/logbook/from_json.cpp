#include <algorithm>
#include <cmath>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/logbook/defer.hpp>

namespace weft::inline v1::logbook {

namespace {

using wire::json_member;
using wire::json_value;

std::optional<double> number_in(const json_value& from) {
  if (const auto* const number = from.if_number()) return *number;
  if (const auto* const integer = from.if_integer()) return static_cast<double>(*integer);
  return std::nullopt;
}

// Times come from outside: one that the clock cannot hold is none.
std::optional<std::chrono::microseconds> seconds_in(const json_value& from) {
  constexpr double seconds_max = 1e12;
  constexpr double micros = 1e6;
  const auto number = number_in(from);
  if (!number || !(std::fabs(*number) <= seconds_max)) return std::nullopt;
  return std::chrono::microseconds(std::llround(*number * micros));
}

std::optional<int> level_in(const json_value& from) {
  constexpr double level_max = 1e9;
  const auto number = number_in(from);
  if (!number || !(std::fabs(*number) <= level_max)) return std::nullopt;
  return static_cast<int>(*number);
}

std::string text_in(const json_value& from) {
  const auto* const text = from.if_text();
  return text != nullptr ? *text : wire::to_text(from, wire::perl_json_style);
}

log::field field_in(const json_member& from) {
  const auto& value = from.value;
  if (const auto* const text = value.if_text()) return {from.name, *text};
  if (const auto* const flag = value.if_boolean()) return {from.name, *flag};
  if (const auto* const integer = value.if_integer()) return {from.name, *integer};
  if (const auto* const large = value.if_unsigned()) return {from.name, *large};
  if (const auto* const number = value.if_number()) return {from.name, *number};
  return {from.name, log::json_text{wire::to_text(value)}};
}

// Of one name the last is kept, as in an object.
void add_field(std::vector<log::field>& into, const json_member& from) {
  const auto same =
      std::find_if(into.begin(), into.end(), [&](const log::field& one) { return one.name == from.name; });
  if (same == into.end()) {
    into.push_back(field_in(from));
  } else {
    *same = field_in(from);
  }
}

// What is behind time and level: texts join the message, objects give fields.
void read_items(const json_value::list& entry, log::record& into) {
  for (std::size_t i = 2; i < entry.size(); ++i) {
    if (const auto* const fields = entry[i].if_object()) {
      // Into none yet they go as they are: the names of an object differ.
      const bool first = into.fields.empty();
      for (const auto& one : *fields) {
        if (first) {
          into.fields.push_back(field_in(one));
        } else {
          add_field(into.fields, one);
        }
      }
    } else {
      if (i > 2 && !into.message.empty()) into.message += ' ';
      into.message += text_in(entry[i]);
    }
  }
}

// [time, level, message, more...]
std::optional<log::record> record_in(const json_value& from, log::record_time start) {
  const auto* const entry = from.if_list();
  if (entry == nullptr || entry->size() < 2) return std::nullopt;
  const auto time = seconds_in((*entry)[0]);
  const auto number = level_in((*entry)[1]);
  if (!time || !number) return std::nullopt;
  log::record made;
  made.time = start + *time;
  made.level = log::level_from_number(*number);
  if (*number != log::number_of(made.level)) made.number = *number;
  read_items(*entry, made);
  return made;
}

// The times of a timer begin at `from`, the end last; there is none while it runs.
std::optional<log::timing> timing_in(std::string name, const json_value::list& entry, std::size_t from,
                                     log::record_time start) {
  if (entry.size() <= from) return std::nullopt;
  const auto begin = seconds_in(entry[from]);
  if (!begin) return std::nullopt;
  log::timing made{std::move(name), start + *begin, std::nullopt};
  if (entry.size() > from + 1) {
    if (const auto end = seconds_in(entry[from + 1])) {
      made.took = std::max(*end - *begin, std::chrono::microseconds(0));
    }
  }
  return made;
}

void read_logs(const json_value& from, log::collection& into) {
  const auto* const logs = from.if_list();
  if (logs == nullptr) return;
  for (const auto& one : *logs) {
    if (auto record = record_in(one, into.start)) into.records.push_back(std::move(*record));
  }
  log::merge(into.records, {});  // by time
}

// Old logs have them as an object, so their order is that of their starts.
void read_timers(const json_value& from, log::collection& into) {
  if (const auto* const timers = from.if_list()) {
    for (const auto& one : *timers) {
      const auto* const entry = one.if_list();
      if (entry == nullptr || entry->empty()) continue;
      if (auto timing = timing_in(text_in(entry->front()), *entry, 1, into.start)) {
        into.timers.push_back(std::move(*timing));
      }
    }
  } else if (const auto* const named = from.if_object()) {
    for (const auto& one : *named) {
      const auto* const entry = one.value.if_list();
      if (entry == nullptr) continue;
      if (auto timing = timing_in(one.name, *entry, 0, into.start)) into.timers.push_back(std::move(*timing));
    }
    std::stable_sort(
        into.timers.begin(), into.timers.end(),
        [](const log::timing& one, const log::timing& other) { return one.start < other.start; });
  }
}

// Of a log without one it is that of what is in it.
void find_end(const wire::json_object& from, log::collection& into) {
  into.end = into.start;
  const auto* const end = from.find("end");
  if (const auto seconds = end == nullptr ? std::nullopt : seconds_in(*end)) {
    into.end = into.start + std::max(*seconds, std::chrono::microseconds(0));
    return;
  }
  for (const auto& one : into.records) into.end = std::max(into.end, one.time);
  for (const auto& one : into.timers) {
    into.end = std::max(into.end, one.start + one.took.value_or(std::chrono::microseconds(0)));
  }
}

}  // namespace

std::optional<log::collection> from_json(const json_value& from) {
  const auto* const object = from.if_object();
  const auto* const start = object == nullptr ? nullptr : object->find("start");
  const auto since = start == nullptr ? std::nullopt : seconds_in(*start);
  if (!since) return std::nullopt;
  log::collection made;
  made.start = log::record_time(*since);
  if (const auto* const logs = object->find("logs")) read_logs(*logs, made);
  if (const auto* const timers = object->find("timers")) read_timers(*timers, made);
  if (const auto* const data = object->find("data"); data != nullptr && data->if_object() != nullptr) {
    for (const auto& one : *data->if_object()) made.data.push_back(field_in(one));
  }
  find_end(*object, made);
  return made;
}

log::collection from_line(std::string_view line) {
  auto read = from_json(wire::parse_json(line));
  if (!read) throw error(errc::malformed, "logbook: read a log: the JSON is no object with a start");
  return std::move(*read);
}

}  // namespace weft::inline v1::logbook
