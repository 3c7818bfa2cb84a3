#include "support/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "support/machine.hpp"

namespace weft::bench {

std::string number_text(double value) {
  const double size = std::fabs(value);
  const double scale = size >= 1e9 ? 1e9 : size >= 1e6 ? 1e6 : size >= 1e4 ? 1e3 : 1;
  const char* const suffix = size >= 1e9 ? "G" : size >= 1e6 ? "M" : size >= 1e4 ? "k" : "";
  const double shown = value / scale;
  const double magnitude = std::fabs(shown);
  const int decimals = magnitude >= 99.95                   ? 0
                       : magnitude >= 9.995                 ? 1
                       : magnitude >= 0.1 || magnitude == 0 ? 2
                                                            : 4;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f%s", decimals, shown, suffix);
  return text.data();
}

std::string target_text(const row& one) {
  if (one.target.of == target::kind::none) return "";
  const std::string side = one.target.is == target::side::at_most ? "<= " : ">= ";
  const std::string number = number_text(one.target.number);
  return side + number + (one.target.of == target::kind::ratio ? "x" : "");
}

namespace {

std::string range_text(const samples& of) {
  return number_text(of.median) + " (" + number_text(of.min) + "-" + number_text(of.max) + ")";
}

/// Either text, or a dash for what there is not.
std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string verdict(const row& one) {
  if (one.target.of == target::kind::none) return "";
  const auto met = one.met();
  return !met ? "not measured" : *met ? "met" : "missed";
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(c));
      out += code.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.9g", value);
  return text.data();
}

std::string json_number(const std::optional<double>& value) { return value ? json_number(*value) : "null"; }

/// Members `name`, `name_min` and `name_max`.
std::string json_samples(const char* name, const std::optional<samples>& of) {
  const std::string key(name);
  std::string text = quoted(key) + ":" + json_number(of ? std::optional(of->median) : std::nullopt);
  if (!of) return text;
  return text + "," + quoted(key + "_min") + ":" + json_number(of->min) + "," + quoted(key + "_max") + ":" +
         json_number(of->max);
}

std::string json_row(const row& one) {
  const auto met = one.met();
  std::string text =
      "{\"group\":" + quoted(one.group) + ",\"name\":" + quoted(one.name) + "," +
      json_samples("value", one.value) + ",\"unit\":" + quoted(one.unit) +
      ",\"baseline\":" + (one.baseline.empty() ? "null" : quoted(one.baseline)) + "," +
      json_samples("baseline_value", one.baseline_value) + ",\"ratio\":" + json_number(one.ratio()) +
      ",\"target\":" + (one.target.of == target::kind::none ? "null" : quoted(target_text(one))) +
      ",\"met\":" +
      (!met   ? "null"
       : *met ? "true"
              : "false");
  if (!one.missing.empty()) text += ",\"missing\":" + quoted(one.missing);
  return text + "}";
}

std::string groups_of(const std::vector<row>& rows) {
  std::vector<std::string> seen;
  std::string text;
  for (const auto& one : rows) {
    if (std::find(seen.begin(), seen.end(), one.group) != seen.end()) continue;
    seen.push_back(one.group);
    text += (text.empty() ? "" : ",") + one.group;
  }
  return text;
}

}  // namespace

void table::print(const row& one) {
  constexpr const char* form = "%-36s %-24s %-8s %-28s %-24s %-9s %-12s %s\n";
  if (one.group != group_) {
    group_ = one.group;
    std::fprintf(out_, "\n%s\n", group_.c_str());
    std::fprintf(out_, form, "figure", "value (min-max)", "unit", "baseline", "its value (min-max)", "ratio",
                 "target", "");
  }
  const auto ratio = one.ratio();
  std::fprintf(out_, form, one.name.c_str(), one.value ? range_text(*one.value).c_str() : "-",
               one.unit.c_str(), or_dash(one.baseline).c_str(),
               one.baseline_value ? range_text(*one.baseline_value).c_str() : "-",
               ratio ? (number_text(*ratio) + "x").c_str() : "-", or_dash(target_text(one)).c_str(),
               verdict(one).c_str());
  if (!one.missing.empty()) std::fprintf(out_, "    %s\n", one.missing.c_str());
  std::fflush(out_);
}

void table::print_summary(const std::vector<row>& rows) {
  std::size_t with_target = 0;
  std::size_t met = 0;
  for (const auto& one : rows) {
    with_target += one.target.of == target::kind::none ? 0 : 1;
    met += one.met().value_or(false) ? 1 : 0;
  }
  std::fprintf(out_, "\n%zu of %zu targets met\n", met, with_target);
}

std::string to_json(const std::vector<row>& rows) {
  std::string text = "{\"schema\":1,\"group\":" + quoted(groups_of(rows)) + ",\"machine\":{";
  for (const char* separator = ""; const auto& [name, value] : describe_machine()) {
    text.append(separator).append(quoted(name)).append(":").append(quoted(value));
    separator = ",";
  }
  text += "},\"rows\":[";
  for (const char* separator = "\n"; const auto& one : rows) {
    text.append(separator).append(json_row(one));
    separator = ",\n";
  }
  return text + "\n]}\n";
}

}  // namespace weft::bench
