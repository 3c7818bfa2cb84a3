#include "workers/compat/log_data.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace weft::workers::detail::compat {

namespace {

using wire::json_member;
using wire::json_object;
using wire::json_value;

// --- out ---

constexpr double micros = 1e6;

double seconds_of(std::chrono::microseconds time) { return static_cast<double>(time.count()) / micros; }

// The numbers of Log::Defer.
int number_of(log::level level) {
  switch (level) {
    case log::level::debug:
      return 40;
    case log::level::info:
      return 30;
    case log::level::warn:
      return 20;
    default:
      return 10;
  }
}

json_value value_of(const log::field& from) {
  return std::visit([](const auto& held) { return json_value(held); }, from.value);
}

json_value entry_of(const log::record& from, log::record_time start) {
  json_value::list entry{seconds_of(from.time - start), number_of(from.level), from.message};
  json_object more;
  for (const auto& one : from.context) more.set(one.name, one.text);
  for (const auto& one : from.fields) more.set(one.name, value_of(one));
  if (more.size() > 0) entry.emplace_back(std::move(more));
  return entry;
}

json_value entry_of(const log::timing& from, log::record_time start) {
  const auto begin = from.start - start;
  json_value::list entry{from.name, seconds_of(begin)};
  if (from.took) entry.emplace_back(seconds_of(begin + *from.took));
  return entry;
}

template <typename Item>
void add_entries(json_object& into, const char* name, const std::vector<Item>& items,
                 log::record_time start) {
  if (items.empty()) return;
  json_value::list entries;
  for (const auto& one : items) entries.push_back(entry_of(one, start));
  into.set(name, std::move(entries));
}

// --- in ---

std::optional<double> number_in(const json_value& from) {
  if (const auto* const number = from.if_number()) return *number;
  if (const auto* const integer = from.if_integer()) return static_cast<double>(*integer);
  return std::nullopt;
}

// Times come from outside: one that the clock cannot hold is none.
std::optional<std::chrono::microseconds> seconds_in(const json_value& from) {
  constexpr double seconds_max = 1e12;
  const auto number = number_in(from);
  if (!number || std::fabs(*number) > seconds_max) return std::nullopt;
  return std::chrono::microseconds(std::llround(*number * micros));
}

log::level level_of(double number) {
  if (number <= 10) return log::level::error;
  if (number <= 20) return log::level::warn;
  return number <= 30 ? log::level::info : log::level::debug;
}

std::string text_in(const json_value& from) {
  const auto* const text = from.if_text();
  return text != nullptr ? *text : wire::to_text(from);
}

log::field field_in(const json_member& from) {
  const auto& value = from.value;
  if (const auto* const flag = value.if_boolean()) return {from.name, *flag};
  if (const auto* const integer = value.if_integer()) return {from.name, *integer};
  if (const auto* const large = value.if_unsigned()) return {from.name, *large};
  if (const auto* const number = value.if_number()) return {from.name, *number};
  return {from.name, text_in(value)};
}

const json_value::list* list_in(const json_object& of, std::string_view name) {
  const auto* const member = of.find(name);
  return member == nullptr ? nullptr : member->if_list();
}

// [time, level, message, more...]: texts join the message, objects give fields.
std::optional<log::record> record_in(const json_value& from, log::record_time start) {
  const auto* const entry = from.if_list();
  if (entry == nullptr || entry->size() < 2) return std::nullopt;
  const auto time = seconds_in((*entry)[0]);
  const auto level = number_in((*entry)[1]);
  if (!time || !level) return std::nullopt;
  log::record made;
  made.time = start + *time;
  made.level = level_of(*level);
  for (std::size_t i = 2; i < entry->size(); ++i) {
    if (const auto* const fields = (*entry)[i].if_object()) {
      for (const auto& one : *fields) made.fields.push_back(field_in(one));
    } else {
      if (!made.message.empty()) made.message += ' ';
      made.message += text_in((*entry)[i]);
    }
  }
  return made;
}

// [name, start, end], without an end while it runs.
std::optional<log::timing> timing_in(const json_value& from, log::record_time start) {
  const auto* const entry = from.if_list();
  if (entry == nullptr || entry->size() < 2) return std::nullopt;
  const auto begin = seconds_in((*entry)[1]);
  if (!begin) return std::nullopt;
  log::timing made{text_in((*entry)[0]), start + *begin, std::nullopt};
  if (entry->size() > 2) {
    if (const auto end = seconds_in((*entry)[2])) made.took = *end - *begin;
  }
  return made;
}

}  // namespace

std::string log_to_text(const log::collection& from) {
  if (from.records.empty() && from.timers.empty() && from.data.empty()) return {};
  json_object made{{"start", seconds_of(from.start.time_since_epoch())}};
  add_entries(made, "logs", from.records, from.start);
  add_entries(made, "timers", from.timers, from.start);
  if (!from.data.empty()) {
    json_object data;
    for (const auto& one : from.data) data.set(one.name, value_of(one));
    made.set("data", std::move(data));
  }
  return wire::to_text(made, {.whole_doubles_as_integers = true});
}

log::collection log_from(const wire::json_value& from) {
  log::collection made;
  const auto* const object = from.if_object();
  if (object == nullptr) return made;
  const auto* const start = object->find("start");
  const auto since = start == nullptr ? std::nullopt : seconds_in(*start);
  if (!since) return made;
  made.start = made.end = log::record_time(*since);
  if (const auto* const logs = list_in(*object, "logs")) {
    for (const auto& one : *logs) {
      if (auto record = record_in(one, made.start)) made.records.push_back(std::move(*record));
    }
  }
  if (const auto* const timers = list_in(*object, "timers")) {
    for (const auto& one : *timers) {
      if (auto timing = timing_in(one, made.start)) made.timers.push_back(std::move(*timing));
    }
  }
  if (const auto* const data = object->find("data"); data != nullptr && data->if_object() != nullptr) {
    for (const auto& one : *data->if_object()) made.data.push_back(field_in(one));
  }
  for (const auto& one : made.records) made.end = std::max(made.end, one.time);
  return made;
}

}  // namespace weft::workers::detail::compat
