#include "cli/log_text.hpp"

#include <cstdio>
#include <ctime>

#include <weft/log/escape.hpp>
#include <weft/logbook/defer.hpp>

#include "cli/timer_chart.hpp"
#include "core/counted.hpp"

namespace weft::inline v1::cli {

namespace {

using std::chrono::microseconds;

constexpr std::string_view colour_off = "\033[0m";
constexpr std::string_view dim = "\033[2m";

std::string_view colour_of(int number) {
  if (number <= 10) return "\033[31m";
  if (number <= 20) return "\033[33m";
  return number <= 30 ? "\033[32m" : dim;
}

std::string in_colour(const log_style& style, std::string_view colour, std::string text) {
  if (!style.coloured) return text;
  return std::string(colour) + text + std::string(colour_off);
}

std::string ago_text(microseconds time) {
  struct unit {
    const char* name;
    long long seconds;
  };
  constexpr unit units[] = {{"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).count();
  if (seconds < 0) return "in the future";
  for (const auto& one : units) {
    const auto count = seconds / one.seconds;
    if (count > 0) return counted(count, one.name) + " ago";
  }
  return "now";
}

std::string date_text(log::record_time time, bool utc) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t since_1970 = second.time_since_epoch().count();
  std::tm parts{};
  if ((utc ? ::gmtime_r(&since_1970, &parts) : ::localtime_r(&since_1970, &parts)) == nullptr) return "?";
  char date[64];
  char zone[16];
  std::strftime(date, sizeof date, "%a %Y-%m-%d %H:%M:%S", &parts);
  std::strftime(zone, sizeof zone, "%Z", &parts);
  char text[128];
  std::snprintf(text, sizeof text, "%s.%06d %s", date, static_cast<int>((time - second).count()), zone);
  return text;
}

std::string level_text(const log::record& from) {
  const auto name = from.number != 0 ? std::to_string(from.number) : std::string(to_string(from.level));
  return name + std::string(name.size() < 8 ? 8 - name.size() : 0, ' ');
}

std::string value_text(const log::field_value& from) {
  if (const auto* const json = std::get_if<log::json_text>(&from)) {
    return printable_json(wire::parse_json(json->text));
  }
  std::string text;
  if (const auto* const held = std::get_if<std::string>(&from)) {
    log::append_quoted(text, *held);
    return text;
  }
  return std::visit(
      [](const auto& value) {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>)
          return to_text(wire::json_value(value));
        return std::string();
      },
      from);
}

std::string record_line(const log::record& from, const log_style& style, log::record_time start) {
  const auto time = ms_text(from.time - start);
  std::string line(time.size() < 10 ? 10 - time.size() : 0, ' ');
  line += time + ' ' + in_colour(style, colour_of(number_of(from)), level_text(from)) + ' ';
  log::append_escaped(line, from.message);
  for (const auto& one : from.fields) {
    line += ' ';
    log::append_quoted(line, one.name);
    line += '=' + value_text(one.value);
  }
  return line + '\n';
}

std::string head_line(const log::collection& from, const log_style& style, log::record_time now) {
  const auto when = style.since_now ? ago_text(now - from.start) : date_text(from.start, style.utc);
  return in_colour(style, dim, "------ " + when + " (" + ms_text(from.end - from.start) + " ms) ------") +
         '\n';
}

// --- JSON ---

// DEL and U+0080 to U+009F, which JSON leaves as they are and a terminal may obey.
std::string without_controls(const std::string& json) {
  std::string text;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto byte = static_cast<unsigned char>(json[i]);
    const auto next = i + 1 < json.size() ? static_cast<unsigned char>(json[i + 1]) : 0U;
    const bool is_c1 = byte == 0xC2 && next >= 0x80 && next < 0xA0;
    if (byte != 0x7F && !is_c1) {
      text += json[i];
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\u%04x", is_c1 ? next : byte);
    text += escape;
    if (is_c1) ++i;
  }
  return text;
}

struct pretty_printer {
  std::string out;

  void value(const wire::json_value& from, std::size_t indented) {
    if (const auto* const items = from.if_list(); items != nullptr && !items->empty()) {
      open('[');
      for (const auto& one : *items) item({}, one, indented + 2);
      close(']', indented);
    } else if (const auto* const object = from.if_object(); object != nullptr && object->size() > 0) {
      open('{');
      for (const auto& one : *object)
        item(to_text(wire::json_value(one.name)) + ": ", one.value, indented + 2);
      close('}', indented);
    } else {
      out += to_text(from);
    }
  }

 private:
  void open(char bracket) {
    out += bracket;
    is_first_ = true;
  }
  void item(const std::string& name, const wire::json_value& from, std::size_t indented) {
    out.append(is_first_ ? "\n" : ",\n").append(indented, ' ').append(name);
    value(from, indented);
    is_first_ = false;
  }
  void close(char bracket, std::size_t indented) { out.append("\n").append(indented, ' ') += bracket; }

  bool is_first_ = true;
};

}  // namespace

std::string pretty_json(const wire::json_value& value, std::size_t indented) {
  pretty_printer printer;
  printer.value(value, indented);
  return without_controls(printer.out);
}

std::string printable_json(const wire::json_value& value) { return without_controls(to_text(value)); }

std::string log_text(const log::collection& from, const log_style& style, log::record_time now) {
  std::string text = head_line(from, style, now);
  if (style.with_records) {
    for (const auto& one : from.records) {
      if (number_of(one) <= style.verbosity) text += record_line(one, style, from.start);
    }
  }
  if (style.with_timers) text += timer_chart(from, style.width);
  if (style.with_data && !from.data.empty()) {
    log::collection only_data;
    only_data.data = from.data;
    const auto json = logbook::to_json(only_data);
    text += "data: " + pretty_json(*json.find("data")) + '\n';
  }
  return text + '\n';
}

}  // namespace weft::inline v1::cli
