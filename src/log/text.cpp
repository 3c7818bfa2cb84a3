#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <type_traits>

#include <weft/log/context_fields.hpp>
#include <weft/log/escape.hpp>
#include <weft/log/sink.hpp>

namespace weft::inline v1::log {
namespace {

constexpr std::string_view dim = "\033[2m";
constexpr std::string_view plain = "\033[0m";

std::string_view colour_of(level of) noexcept {
  switch (of) {
    case level::debug:
      return "\033[2m";
    case level::warn:
      return "\033[33m";
    case level::error:
      return "\033[31m";
    case level::critical:
      return "\033[1;31m";
    default:
      return "\033[32m";
  }
}

template <typename Number>
void append_number(std::string& out, Number value, std::size_t width = 0) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  const auto digits = static_cast<std::size_t>(end - buffer.data());
  if (digits < width) out.append(width - digits, '0');
  out.append(buffer.data(), digits);
}

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
          append_escaped(out, value.text);
        } else {
          append_number(out, value);
        }
      },
      from);
}

void append_level(std::string& out, level of, bool coloured) {
  constexpr std::size_t width = 8;  // "critical"
  const auto name = to_string(of);
  if (coloured) out += colour_of(of);
  out += name;
  if (coloured) out += plain;
  out.append(width - name.size() + 1, ' ');
}

void append_origin(std::string& out, const record& from) {
  append_escaped(out, from.task_name.empty() ? "task" : from.task_name);
  out += " #";
  append_number(out, from.task_id);
  out += " in ";
  append_number(out, from.process_id);
  if (from.file.empty()) return;
  out += " at ";
  const std::string_view path(from.file);
  append_escaped(out, path.substr(path.rfind('/') + 1));  // npos + 1 is the whole
  out += ':';
  append_number(out, from.line);
}

}  // namespace

void format_text(const record& from, std::string& out, bool coloured) {
  append_time(out, from.time);
  out += ' ';
  append_level(out, from.level, coloured);
  append_escaped(out, from.message);
  for (const auto& each : from.fields) {
    out += ' ';
    append_quoted(out, each.name);
    out += '=';
    append_value(out, each.value);
  }
  if (coloured) out += dim;
  if (!from.context.empty()) out += " | ";
  format_context(from.context, out);
  out += " | ";
  append_origin(out, from);
  if (coloured) out += plain;
  out += '\n';
}

bool use_colour(colour asked, int fd) noexcept {
  if (asked != colour::automatic) return asked == colour::always;
  const char* const no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* const terminal = std::getenv("TERM");
  if (terminal != nullptr && std::string_view(terminal) == "dumb") return false;
  return isatty(fd) == 1;
}

text_sink::text_sink(text_sink_options options)
    : line_sink({.fd = options.fd, .level = options.level, .queue_records_max = options.queue_records_max},
                [coloured = use_colour(options.colour, options.fd)](const record& from, std::string& out) {
                  format_text(from, out, coloured);
                }) {}

}  // namespace weft::inline v1::log
