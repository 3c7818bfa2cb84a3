#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include <weft/log/context_fields.hpp>
#include <weft/log/escape.hpp>
#include <weft/log/sink.hpp>

#include "log/line_parts.hpp"

namespace weft::inline v1::log {
namespace {

using detail::append_number;
using detail::append_time;

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

void append_level(std::string& out, level of, bool coloured) {
  constexpr std::size_t width = 8;  // "critical"
  const auto name = to_string(of);
  if (coloured) out += colour_of(of);
  out += name;
  if (coloured) out += plain;
  out.append(width - name.size() + 1, ' ');
}

void append_origin(std::string& out, const record& from) {
  append_quoted(out, from.task_name.empty() ? "task" : from.task_name);
  out += " #";
  append_number(out, from.task_id);
  out += " in ";
  append_number(out, from.process_id);
  if (from.file.empty()) return;
  out += " at ";
  append_quoted(out, detail::file_name(from.file));
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
    detail::append_value(out, each.value);
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
