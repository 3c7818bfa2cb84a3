#pragma once

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <weft/metrics/description.hpp>
#include <weft/metrics/histogram.hpp>

namespace weft::inline v1::metrics {

/// One metric at one moment.
struct sample {
  std::vector<std::string> label_values = {};  ///< as many as its family has labels
  double value = 0;                            ///< of a counter or gauge
  histogram_reading histogram = {};            ///< of a histogram
};

/// One family at one moment.
struct family_snapshot {
  metrics::kind kind = metrics::kind::counter;
  std::string name = {};  ///< as registered: of a counter with `_total`
  std::string help = {};
  std::string unit = {};
  std::vector<std::string> labels = {};
  std::vector<sample> samples = {};  ///< sorted by label values, no two alike
};

/// All metrics of a registry at one moment, as plain data: what an exporter reads.
///
/// Everything that happened before, in the sense of the memory model, is in it, and counters never go back
/// from one snapshot to the next. It is not one moment for all: while others count, two metrics may be a few
/// nanoseconds apart, so a figure that was counted second may be in it without the first. The figures
/// that one source gives are of one call.
struct snapshot {
  std::chrono::system_clock::time_point taken = {};
  std::vector<family_snapshot> families =
      {};                                  ///< sorted by name, `_total` left aside; those without samples too
  std::vector<std::string> problems = {};  ///< what sources failed with

  /// Null if there is none of that name.
  const family_snapshot* find(std::string_view name) const noexcept;
  /// Null if there is none of that name with those label values.
  const sample* find(std::string_view name,
                     std::initializer_list<std::string_view> label_values) const noexcept;
};

}  // namespace weft::inline v1::metrics
