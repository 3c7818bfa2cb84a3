#include "metrics/family_state.hpp"

#include <weft/core/error.hpp>

#include "metrics/label_value.hpp"

namespace weft::inline v1::metrics::detail {
namespace {

std::uint64_t refused_by(const series& one) {
  if (const auto* const cells = std::get_if<histogram_cells>(&one)) return cells->refused();
  std::uint64_t all = 0;
  if (const auto* const counted = std::get_if<counter_cells>(&one)) {
    for (std::size_t i = 0; i < shard_count(); ++i) {
      all += counted->cells[i].refused.load(std::memory_order_relaxed);
    }
  }
  return all;
}

sample read_series(const label_set& values, series& one) {
  sample read{.label_values = values};
  if (auto* const cells = std::get_if<histogram_cells>(&one)) {
    read.histogram = cells->read();
  } else if (std::holds_alternative<gauge_cell>(one)) {
    read.value = handle_of<gauge>(one).value();
  } else {
    read.value = handle_of<counter>(one).value();
  }
  return read;
}

}  // namespace

family_state::family_state(kind what_kind, description what, std::vector<double> bounds)
    : kind_(what_kind), what_(std::move(what)), bounds_(std::move(bounds)) {}

bool family_state::is_like(kind what_kind, const description& what, const std::vector<double>& bounds) const {
  return kind_ == what_kind && what_.name == what.name && what_.unit == what.unit &&
         what_.labels == what.labels && bounds_ == bounds;
}

label_set family_state::clean(std::span<const std::string_view> values) const {
  if (values.size() != what_.labels.size()) {
    throw error(errc::misuse, "metrics: \"" + what_.name + "\" has " + std::to_string(what_.labels.size()) +
                                  " labels, and was given " + std::to_string(values.size()) +
                                  " label values");
  }
  label_set cleaned;
  cleaned.reserve(values.size());
  for (const std::string_view value : values) cleaned.push_back(clean_label_value(value));
  return cleaned;
}

series& family_state::emplace(std::map<label_set, series>& into, const label_set& values) const {
  switch (kind_) {
    case kind::counter:
      return into.try_emplace(values, std::in_place_type<counter_cells>).first->second;
    case kind::gauge:
      return into.try_emplace(values, std::in_place_type<gauge_cell>).first->second;
    case kind::histogram:
      break;
  }
  return into.try_emplace(values, std::in_place_type<histogram_cells>, bounds_).first->second;
}

bool family_state::has_room(std::size_t held) {
  if (held < what_.label_sets_max) return true;
  ++refused_label_sets_;
  return false;
}

series& family_state::get_series(std::span<const std::string_view> values) {
  const label_set wanted = clean(values);
  const label_set other(what_.labels.size(), std::string(other_label_value));
  const std::lock_guard lock(mutex_);
  if (const auto found = series_.find(wanted); found != series_.end()) return found->second;
  if (wanted.empty() || (wanted != other && has_room(series_.size()))) return emplace(series_, wanted);
  return emplace(other_, other);
}

void family_state::note_refused_value() noexcept {
  const std::lock_guard lock(mutex_);
  ++refused_values_;
}

void family_state::add_given(std::map<label_set, sample>& to, const given_values& given) {
  for (const auto& [values, value] : given) {
    label_set place = values;
    if (!to.contains(values) && !values.empty() && !has_room(to.size())) {
      if (kind_ == kind::gauge) continue;
      place.assign(values.size(), std::string(other_label_value));
    }
    sample& one = to[place];
    one.label_values = place;
    one.value += value;
  }
}

family_snapshot family_state::read(const given_values& given) {
  family_snapshot all{
      .kind = kind_, .name = what_.name, .help = what_.help, .unit = what_.unit, .labels = what_.labels};
  std::map<label_set, sample> samples;
  const std::lock_guard lock(mutex_);
  for (auto& [values, one] : series_) samples.emplace(values, read_series(values, one));
  if (kind_ != kind::gauge) {
    for (auto& [values, one] : other_) samples.emplace(values, read_series(values, one));
  }
  add_given(samples, given);
  for (auto& [values, one] : samples) all.samples.push_back(std::move(one));
  return all;
}

std::uint64_t family_state::refused_values() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t all = refused_values_;
  for (const auto& [values, one] : series_) all += refused_by(one);
  for (const auto& [values, one] : other_) all += refused_by(one);
  return all;
}

std::uint64_t family_state::refused_label_sets() const {
  const std::lock_guard lock(mutex_);
  return refused_label_sets_;
}

}  // namespace weft::inline v1::metrics::detail
