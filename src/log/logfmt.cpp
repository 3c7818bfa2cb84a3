#include <string>

#include <weft/log/escape.hpp>
#include <weft/log/format.hpp>

#include "log/line_parts.hpp"

namespace weft::inline v1::log {
namespace {

/// A name that nothing in it ends. Empty ones are `_`.
void append_name(std::string& out, const std::string& name) {
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool ends_it = byte <= 0x20 || byte >= 0x7f || c == '=' || c == '"' || c == '\\';
    out += ends_it ? '_' : c;
  }
  if (name.empty()) out += '_';
}

}  // namespace

void format_logfmt(const record& from, std::string& out) {
  const detail::shown_names names(from);
  out += "time=";
  detail::append_time(out, from.time);
  out += " level=";
  out += to_string(from.level);
  out += " msg=";
  append_quoted(out, from.message);
  for (const field& each : from.fields) {
    out += ' ';
    append_name(out, names.of_field(each));
    out += '=';
    detail::append_value(out, each.value);
  }
  for (const context_field& each : from.context) {
    out += ' ';
    append_name(out, names.of_context(each));
    out += '=';
    append_quoted(out, each.text);
  }
  if (!from.task_name.empty()) {
    out += " task=";
    append_quoted(out, from.task_name);
  }
  out += " task_id=";
  detail::append_number(out, from.task_id);
  out += " pid=";
  detail::append_number(out, from.process_id);
  if (!from.file.empty()) {
    out += " at=";
    append_quoted(out, std::string(detail::file_name(from.file)) + ':' + std::to_string(from.line));
  }
  out += '\n';
}

}  // namespace weft::inline v1::log
