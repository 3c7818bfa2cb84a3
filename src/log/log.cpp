#include <weft/log/log.hpp>

#include <unistd.h>

#include <cmath>
#include <memory>
#include <type_traits>

#include <weft/core/failure.hpp>
#include <weft/core/task_block.hpp>
#include <weft/log/context_fields.hpp>
#include <weft/log/escape.hpp>
#include <weft/log/sink.hpp>

#include "log/collecting.hpp"
#include "log/routes.hpp"

namespace weft::inline v1::log {
namespace {

/// Not every format that a record may travel in has infinities.
field_value number_or_text(double value) {
  if (std::isfinite(value)) return value;
  return std::string(std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

std::shared_ptr<record> make_record(level of, const text& what, arguments fields) {
  auto made = std::make_shared<record>();
  made->time = now();
  made->level = of;
  made->message = to_utf8(what.message);
  made->fields.reserve(fields.size());
  for (const auto& each : fields) made->fields.push_back(each.to_field());
  made->context = context_fields();
  const auto& task = weft::detail::task_block::current();
  made->task_id = task.id();
  made->task_name = to_utf8(task.name());
  made->process_id = getpid();
  made->file = what.where.file_name();
  made->line = what.where.line();
  return made;
}

detail::collecting* in_force() noexcept {
  const auto* const found = detail::current_collecting();
  return found == nullptr ? nullptr : found->get();
}

void emit_to(detail::collecting* first, record from) noexcept {
  if (!detail::is_wanted(first, from.level, number_of(from))) return;
  try {
    detail::route(first, std::make_shared<record>(std::move(from)));
  } catch (...) {
    detail::count_lost();
  }
}

}  // namespace

namespace detail {

bool is_wanted(const collecting* first, level of, int number) noexcept {
  if (!might_be_taken(of)) return false;
  for (const auto* at = first; at != nullptr; at = at->outer()) {
    if (const auto decided = at->wants(of, number)) return *decided;
  }
  return of >= current_level();
}

void route(collecting* first, const std::shared_ptr<const record>& one) {
  for (auto* at = first; at != nullptr; at = at->outer()) {
    if (at->take_in(*one)) return;
  }
  to_sinks(one);
}

void write_to(collecting* first, level of, int number, const text& what, arguments fields) noexcept {
  if (!is_wanted(first, of, number)) return;
  try {
    const auto made = make_record(of, what, fields);
    if (number != number_of(of)) made->number = number;
    route(first, made);
  } catch (...) {
    count_lost();
  }
}

void emit_to(collecting* first, collection from) noexcept {
  for (auto& each : from.records) log::emit_to(first, std::move(each));
  for (auto* at = first; at != nullptr; at = at->outer()) {
    try {
      if (!at->add_timers(from.timers)) continue;
      for (auto& each : from.data) at->add_data(std::move(each));
      at->count_dropped(from.dropped);
    } catch (...) {
      count_lost();
    }
    return;
  }
}

}  // namespace detail

field argument::to_field() const {
  return {to_utf8(name_), std::visit(
                              [](const auto& value) -> field_value {
                                using type = std::decay_t<decltype(value)>;
                                if constexpr (std::is_same_v<type, std::string_view>) {
                                  return to_utf8(value);
                                } else if constexpr (std::is_same_v<type, structure>) {
                                  return json_text{to_utf8(value.text)};
                                } else if constexpr (std::is_same_v<type, double>) {
                                  return number_or_text(value);
                                } else {
                                  return value;
                                }
                              },
                              value_)};
}

bool enabled(level of) noexcept { return detail::is_wanted(in_force(), of, number_of(of)); }

void write(level of, const text& what, arguments fields) noexcept {
  detail::write_to(in_force(), of, number_of(of), what, fields);
}

void write_exception(level of, const text& what, const std::exception_ptr& thrown,
                     arguments fields) noexcept {
  if (!enabled(of)) return;
  try {
    const auto made = make_record(of, what, fields);
    const auto described = failure::from(thrown);
    made->fields.push_back({"error", to_utf8(described.chain())});
    made->fields.push_back({"code", std::string(to_string(described.code))});
    if (!described.type.empty()) made->fields.push_back({"type", to_utf8(described.type)});
    detail::route(in_force(), made);
  } catch (...) {
    detail::count_lost();
  }
}

void emit(record from) noexcept { emit_to(in_force(), std::move(from)); }

void emit(collection from) noexcept { detail::emit_to(in_force(), std::move(from)); }

}  // namespace weft::inline v1::log
