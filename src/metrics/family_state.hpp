#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include <weft/metrics/counter.hpp>
#include <weft/metrics/gauge.hpp>
#include <weft/metrics/histogram.hpp>
#include <weft/metrics/snapshot.hpp>

namespace weft::inline v1::metrics::detail {

/// A counter's cells, one for each shard.
struct counter_cells {
  std::unique_ptr<counter_cell[]> cells{new counter_cell[shard_count()]};
};

/// What one label set counts in.
using series = std::variant<counter_cells, gauge_cell, histogram_cells>;

/// The handle of a series. It must be of that kind, as its family is.
template <typename Metric>
Metric handle_of(series& one) noexcept {
  if constexpr (std::is_same_v<Metric, counter>) {
    return counter(std::get_if<counter_cells>(&one)->cells.get());
  } else if constexpr (std::is_same_v<Metric, gauge>) {
    return gauge(std::get_if<gauge_cell>(&one));
  } else {
    return histogram(std::get_if<histogram_cells>(&one));
  }
}

/// Label values, and the order in which samples are shown.
using label_set = std::vector<std::string>;
/// Values that sources gave for one family in one snapshot.
using given_values = std::map<label_set, double>;

/// One family: what was registered, and a series for each label set that was asked for.
///
/// A value is counted in its series without the lock; the lock is for finding and making them.
/// Series are never taken out, and nodes of a map stay where they are: handles point into them without a
/// lock.
class family_state {
 public:
  family_state(kind what_kind, description what, std::vector<double> bounds);
  kind what_kind() const noexcept { return kind_; }

  const description& what() const noexcept { return what_; }
  /// May this registration share the family?
  bool is_like(kind what_kind, const description& what, const std::vector<double>& bounds) const;

  /// The series of these label values, made if need be; the one for all others once the family is full.
  series& get_series(std::span<const std::string_view> values);
  /// Checks and cleans label values. Throws weft::error (misuse) for a wrong number of them.
  label_set clean(std::span<const std::string_view> values) const;
  /// A source gave a value that a counter cannot have.
  void note_refused_value() noexcept;

  family_snapshot read(const given_values& given);
  std::uint64_t refused_values() const;
  std::uint64_t refused_label_sets() const;

 private:
  series& emplace(std::map<label_set, series>& into, const label_set& values) const;
  /// Room for one more label set beside `held`? Counts the refusal if not. Under the lock.
  bool has_room(std::size_t held);
  void add_given(std::map<label_set, sample>& to, const given_values& given);

  const kind kind_;
  const description what_;
  const std::vector<double> bounds_;
  mutable std::mutex mutex_;
  std::map<label_set, series> series_;  // guarded by mutex_; values in it are not
  std::map<label_set, series> other_;   // guarded by mutex_; at most one, for all label sets beyond the bound
  std::uint64_t refused_label_sets_ = 0;  // guarded by mutex_
  std::uint64_t refused_values_ = 0;      // guarded by mutex_; those of sources
};

}  // namespace weft::inline v1::metrics::detail
