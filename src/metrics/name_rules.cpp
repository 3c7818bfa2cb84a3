#include "metrics/name_rules.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <weft/core/error.hpp>

namespace weft::inline v1::metrics {

std::string_view to_string(kind one) noexcept {
  switch (one) {
    case kind::counter:
      return "counter";
    case kind::gauge:
      return "gauge";
    case kind::histogram:
      return "histogram";
  }
  return "unknown";
}

namespace detail {
namespace {

constexpr std::string_view total = "_total";
constexpr std::array<std::string_view, 6> taken_endings{total,  "_bucket",  "_count",
                                                        "_sum", "_created", "_info"};
constexpr std::string_view own_prefix = "weft_metrics_";

[[noreturn]] void refuse(const description& what, const std::string& why) {
  throw error(errc::invalid_argument, "metrics: register \"" + what.name + "\": " + why);
}

/// The grammar of names of metrics and labels, without `:`, which is for the rules of a Prometheus server.
bool is_word(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto letter_or_digit = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= name_bytes_max && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), letter_or_digit);
}

void check_name(kind what_kind, const description& what) {
  if (!is_word(what.name)) {
    refuse(what, "a name is 1 to " + std::to_string(name_bytes_max) +
                     " letters, digits and '_', and does not begin with a digit");
  }
  if (what.name.starts_with(own_prefix)) refuse(what, "names with weft_metrics_ are the registry's own");
  if (what_kind == kind::counter) {
    if (!what.name.ends_with(total) || what.name == total) {
      refuse(what, "a counter ends in _total: \"" + what.name + "_total\"");
    }
    return;
  }
  for (const std::string_view ending : taken_endings) {
    if (!what.name.ends_with(ending)) continue;
    refuse(what, "a " + std::string(to_string(what_kind)) + " must not end in " + std::string(ending) +
                     ", which exporters append to names");
  }
}

void check_unit(const description& what) {
  if (what.unit.empty()) return;
  if (!is_word(what.unit))
    refuse(what, "the unit \"" + what.unit + "\" has more than letters, digits and '_'");
  const std::string_view base = base_name(what.name);
  if (base.ends_with("_" + what.unit)) return;
  const std::string_view rest = std::string_view(what.name).substr(base.size());
  refuse(what,
         "a name ends in its unit: \"" + std::string(base) + "_" + what.unit + std::string(rest) + "\"");
}

void check_labels(kind what_kind, const description& what) {
  if (what.labels.size() > labels_max) {
    refuse(what, std::to_string(what.labels.size()) + " labels; at most " + std::to_string(labels_max));
  }
  for (auto one = what.labels.begin(); one != what.labels.end(); ++one) {
    const std::string name = "the label \"" + *one + "\" ";
    if (!is_word(*one))
      refuse(what, name + "is not made of letters, digits and '_', beginning with no digit");
    if (one->starts_with("__")) refuse(what, name + "begins with __, which is for Prometheus itself");
    if (what_kind == kind::histogram && *one == "le") refuse(what, name + "is the bound of a bucket");
    if (std::find(what.labels.begin(), one, *one) != one) refuse(what, name + "is there twice");
  }
}

}  // namespace

std::string_view base_name(std::string_view name) noexcept {
  if (name.ends_with(total)) name.remove_suffix(total.size());
  return name;
}

void check_description(kind what_kind, const description& what) {
  check_name(what_kind, what);
  check_unit(what);
  check_labels(what_kind, what);
  if (what.help.empty()) refuse(what, "the help is empty; say in a sentence what it counts");
}

void check_bounds(const description& what, const std::vector<double>& bounds) {
  if (bounds.empty() || bounds.size() > buckets_max) {
    refuse(what, std::to_string(bounds.size()) + " bounds; give 1 to " + std::to_string(buckets_max));
  }
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (!std::isfinite(bounds[i])) {
      refuse(what,
             "the bound at " + std::to_string(i) + " is not finite; the last bucket has no bound anyway");
    }
    if (i > 0 && !(bounds[i - 1] < bounds[i])) {
      refuse(what, "the bounds do not ascend at " + std::to_string(i) + ": " + std::to_string(bounds[i - 1]) +
                       ", " + std::to_string(bounds[i]));
    }
  }
}

}  // namespace detail
}  // namespace weft::inline v1::metrics
