#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include <weft/metrics/counter.hpp>
#include <weft/metrics/gauge.hpp>
#include <weft/metrics/histogram.hpp>

namespace weft::inline v1::metrics {

namespace detail {
class family_state;
}

/// Metrics of one name that differ in their labels: jobs by queue, requests by status.
///
/// Look a metric up once and keep the handle: a look-up takes a lock for a search, and allocates where the
/// label set is new. A family holds label_sets_max label sets and none is ever taken out; look-ups of
/// further ones all get the one metric labelled "(other)", so that totals stay right, and are counted in
/// weft_metrics_refused_label_sets_total. (Of gauges the "(other)" one is not shown: values that different
/// owners set mean nothing together.)
///
/// A handle, made by a registry: as cheap to copy as a pointer, valid as long as its registry. Thread-safe.
template <typename Metric>
class family {
 public:
  family() noexcept = default;
  explicit family(detail::family_state* state) noexcept : state_(state) {}

  /// The metric with these label values, in the order of the label names. Bytes that are not UTF-8 become
  /// `?`, and values are cut at label_value_bytes_max. Throws weft::error (misuse) for another number of
  /// values. Of an empty handle an empty handle.
  Metric with(std::span<const std::string_view> values) const;
  Metric with(std::initializer_list<std::string_view> values) const {
    return with(std::span<const std::string_view>(values.begin(), values.size()));
  }

 private:
  detail::family_state* state_ = nullptr;
};

extern template class family<counter>;
extern template class family<gauge>;
extern template class family<histogram>;

}  // namespace weft::inline v1::metrics
