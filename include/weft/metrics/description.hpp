#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weft::inline v1::metrics {

/// Label names of one family.
inline constexpr std::size_t labels_max = 16;
/// Bytes of one label value; the rest of a longer one is cut off.
inline constexpr std::size_t label_value_bytes_max = 128;
/// Bounds of one histogram.
inline constexpr std::size_t buckets_max = 128;
/// Bytes of the name of a metric or label.
inline constexpr std::size_t name_bytes_max = 200;
/// The label value that stands for all label sets above label_sets_max.
inline constexpr std::string_view other_label_value = "(other)";

/// What a family of metrics counts in.
enum class kind : unsigned char { counter, gauge, histogram };
/// "counter", "gauge", "histogram".
std::string_view to_string(kind one) noexcept;

/// What a family is called and what it says. The rules are those of Prometheus and OpenMetrics, so that an
/// exporter need not rename anything:
///  - name: letters, digits and `_`, no digit first: `weft_pool_queue_wait_seconds`;
///  - a counter ends in `_total`; nothing else ends in what exporters append (`_total`, `_bucket`, `_count`,
///    `_sum`, `_created`, `_info`);
///  - the unit, if any, ends the name: before `_total` for a counter. Base units: seconds, bytes, ratio;
///  - `weft_metrics_` starts the figures that a registry keeps about itself, and no others.
struct description {
  std::string name;
  std::string help;                      ///< one sentence for people; not empty
  std::string unit = {};                 ///< "seconds", "bytes"; empty: a plain number
  std::vector<std::string> labels = {};  ///< label names, in the order in which values are given
  std::size_t label_sets_max = 1000;     ///< label sets of the family; the rest becomes one, "(other)"
};

}  // namespace weft::inline v1::metrics
