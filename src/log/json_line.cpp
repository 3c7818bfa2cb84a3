#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <weft/log/escape.hpp>
#include <weft/log/format.hpp>

#include "core/hex.hpp"
#include "log/line_parts.hpp"
#include "log/valid_json.hpp"

namespace weft::inline v1::log {
namespace {

void append_unit(std::string& out, unsigned unit) {
  out += "\\u00";
  append_hex(out, static_cast<unsigned char>(unit));
}

void append_string(std::string& out, std::string_view raw) {
  const std::string text = to_utf8(raw);
  out += '"';
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const unsigned next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0;
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[at];
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      append_unit(out, byte);
    } else if (byte == 0xc2 && next < 0xa0) {  // U+0080 to U+009F, which terminals obey
      append_unit(out, next);
      ++at;
    } else {
      out += text[at];
    }
  }
  out += '"';
}

void append_value(std::string& out, const field_value& from) {
  std::visit(
      [&](const auto& value) {
        using type = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<type, std::string>) {
          append_string(out, value);
        } else if constexpr (std::is_same_v<type, bool>) {
          out += value ? "true" : "false";
        } else if constexpr (std::is_same_v<type, json_text>) {
          if (!detail::append_valid_json(out, value.text)) append_string(out, value.text);
        } else if constexpr (std::is_floating_point_v<type>) {
          if (std::isfinite(value)) {
            detail::append_number(out, value);
          } else {
            append_string(out, std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
          }
        } else {
          detail::append_number(out, value);
        }
      },
      from);
}

void begin_member(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  append_string(out, name);
  out += ':';
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  begin_member(out, name);
  append_string(out, text);
}

}  // namespace

void format_json(const record& from, std::string& out) {
  const detail::shown_names names(from);
  std::string time;
  detail::append_time(time, from.time);
  out += '{';
  append_member(out, "time", time);
  append_member(out, "level", to_string(from.level));
  append_member(out, "msg", from.message);
  for (const field& each : from.fields) {
    begin_member(out, names.of_field(each));
    append_value(out, each.value);
  }
  for (const context_field& each : from.context) append_member(out, names.of_context(each), each.text);
  if (!from.task_name.empty()) append_member(out, "task", from.task_name);
  begin_member(out, "task_id");
  detail::append_number(out, from.task_id);
  begin_member(out, "pid");
  detail::append_number(out, from.process_id);
  if (!from.file.empty()) {
    append_member(out, "at", std::string(detail::file_name(from.file)) + ':' + std::to_string(from.line));
  }
  out += "}\n";
}

}  // namespace weft::inline v1::log
