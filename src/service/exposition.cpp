#include <weft/service/exposition.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <weft/http/accept.hpp>
#include <weft/http/header.hpp>

#include "service/log_meters.hpp"

namespace weft::inline v1::ops {

namespace {

constexpr std::string_view total = "_total";

/// One text that grows; the two formats differ in few places, and those are here.
class writer {
 public:
  explicit writer(exposition_format as) noexcept : as_(as) {}

  void write(const metrics::family_snapshot& family) {
    write_head(family);
    for (const metrics::sample& one : family.samples) {
      if (family.kind == metrics::kind::histogram) {
        write_histogram(family, one);
      } else {
        write_sample(family.name, {}, family.labels, one.label_values, {});
        add_value(one.value);
      }
    }
  }
  std::string finish() {
    if (is_open()) out_ += "# EOF\n";
    return std::move(out_);
  }

 private:
  bool is_open() const noexcept { return as_ == exposition_format::openmetrics; }

  void write_head(const metrics::family_snapshot& family) {
    std::string_view name = family.name;
    // There a counter's family is called without what its one sample ends in.
    if (is_open() && family.kind == metrics::kind::counter) name.remove_suffix(total.size());
    out_.append("# HELP ").append(name) += ' ';
    add_escaped(family.help, is_open());
    out_.append("\n# TYPE ").append(name).append(" ").append(to_string(family.kind)) += '\n';
    if (is_open() && !family.unit.empty()) {
      out_.append("# UNIT ").append(name).append(" ").append(family.unit) += '\n';
    }
  }

  void write_histogram(const metrics::family_snapshot& family, const metrics::sample& one) {
    const metrics::histogram_reading& read = one.histogram;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < read.counts.size(); ++i) {
      below += read.counts[i];
      const std::string bound = i < read.bounds.size() ? bound_text(read.bounds[i]) : "+Inf";
      write_sample(family.name, "_bucket", family.labels, one.label_values, bound);
      add_count(below);
    }
    const bool may_be_negative = read.sum < 0 || (!read.bounds.empty() && read.bounds.front() < 0);
    if (is_open() && may_be_negative) return;
    write_sample(family.name, "_sum", family.labels, one.label_values, {});
    add_value(read.sum);
    write_sample(family.name, "_count", family.labels, one.label_values, {});
    add_count(below);
  }

  /// All of a sample's line but its value.
  void write_sample(std::string_view name, std::string_view ending, const std::vector<std::string>& labels,
                    const std::vector<std::string>& values, std::string_view bound) {
    out_.append(name).append(ending);
    char before = '{';
    const auto add_label = [&](std::string_view label, std::string_view value) {
      out_ += std::exchange(before, ',');
      out_.append(label).append("=\"");
      add_escaped(value, true);
      out_ += '"';
    };
    for (std::size_t i = 0; i < labels.size(); ++i) add_label(labels[i], values[i]);
    if (!bound.empty()) add_label("le", bound);
    out_.append(before == '{' ? " " : "} ");
  }

  void add_escaped(std::string_view text, bool quotes_too) {
    for (const char one : text) {
      if (one == '\n') {
        out_ += "\\n";
        continue;
      }
      if (one == '\\' || (one == '"' && quotes_too)) out_ += '\\';
      out_ += one;
    }
  }

  void add_count(std::uint64_t count) { out_.append(std::to_string(count)) += '\n'; }

  void add_value(double value) {
    constexpr double whole_max = 1e15;  // doubles up to there are printed to the last digit
    if (std::trunc(value) == value && std::abs(value) < whole_max) {
      out_.append(std::to_string(static_cast<std::int64_t>(value))) += '\n';
    } else {
      out_.append(shortest(value)) += '\n';
    }
  }

  static std::string shortest(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.begin(), text.end(), value, std::chars_format::general).ptr;
    return {text.begin(), end};
  }

  /// Bounds are compared as texts: they look as every exporter writes them.
  static std::string bound_text(double bound) {
    std::string text = shortest(bound);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
  }

  const exposition_format as_;
  std::string out_;
};

/// How exactly an Accept names the text format; more exact ones hold.
int exactness(const http::accepted_value& one) {
  if (http::same_name(one.value, "text/plain"))
    return one.parameter("version").value_or("0.0.4") == "0.0.4" ? 3 : 0;
  if (http::same_name(one.value, "text/*")) return 2;
  return one.value == "*/*" ? 1 : 0;
}

bool names_openmetrics(const http::accepted_value& one) {
  return http::same_name(one.value, "application/openmetrics-text") &&
         one.parameter("version").value_or("1.0.0") == "1.0.0";
}

}  // namespace

std::string_view content_type(exposition_format of) noexcept {
  return of == exposition_format::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                              : "text/plain; version=0.0.4; charset=utf-8";
}

exposition_format wanted_format(std::string_view accept) noexcept {
  int open = 0;
  int plain = 0;
  int plain_exactness = 1;
  while (const auto one = http::next_accepted(accept)) {
    if (names_openmetrics(*one)) {
      open = std::max(open, one->quality);
    } else if (const int exact = exactness(*one); exact >= plain_exactness) {
      plain = exact == plain_exactness ? std::max(plain, one->quality) : one->quality;
      plain_exactness = exact;
    }
  }
  return open > 0 && open >= plain ? exposition_format::openmetrics : exposition_format::prometheus;
}

std::string expose(const metrics::snapshot& from, exposition_format as) {
  writer to(as);
  for (const metrics::family_snapshot& one : from.families) to.write(one);
  return to.finish();
}

http::handler metrics_handler(const metrics::registry& from) {
  detail::show_log();
  return [&from](http::request& in, http::response& out) {
    const exposition_format as = wanted_format(in.header("Accept").value_or(""));
    out.header("Cache-Control", "no-store").header("Vary", "Accept").content_type(content_type(as));
    out.body(expose(from.take_snapshot(), as));
  };
}

}  // namespace weft::inline v1::ops
