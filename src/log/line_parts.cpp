#include "log/line_parts.hpp"

#include <algorithm>
#include <chrono>
#include <type_traits>
#include <variant>

#include <weft/log/escape.hpp>

namespace weft::inline v1::log::detail {
namespace {

constexpr std::array<std::string_view, 7> own_names{"time", "level", "msg", "task", "task_id", "pid", "at"};

bool is_own(std::string_view name) noexcept { return std::ranges::find(own_names, name) != own_names.end(); }

}  // namespace

void append_time(std::string& out, record_time time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  append_number(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_number(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_number(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_number(out, clock.hours().count(), 2);
  out += ':';
  append_number(out, clock.minutes().count(), 2);
  out += ':';
  append_number(out, clock.seconds().count(), 2);
  out += '.';
  append_number(out, clock.subseconds().count(), 6);
  out += 'Z';
}

void append_value(std::string& out, const field_value& from) {
  std::visit(
      [&](const auto& value) {
        using type = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<type, std::string>) {
          append_quoted(out, value);
        } else if constexpr (std::is_same_v<type, bool>) {
          out += value ? "true" : "false";
        } else if constexpr (std::is_same_v<type, json_text>) {
          append_quoted(out, value.text);
        } else {
          append_number(out, value);
        }
      },
      from);
}

std::string_view file_name(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is the whole
}

std::string shown_names::of_field(const field& one) const {
  return is_own(one.name) ? "field." + one.name : one.name;
}

std::string shown_names::of_context(const context_field& one) const {
  const bool is_taken = is_own(one.name) || std::ranges::any_of(of_.fields, [&](const field& each) {
                          return each.name == one.name;
                        });
  return is_taken ? "context." + one.name : one.name;
}

}  // namespace weft::inline v1::log::detail
