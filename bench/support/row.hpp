#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/figure.hpp"

namespace weft::bench {

/// The runs of one side.
struct samples {
  double median = 0;
  double min = 0;
  double max = 0;
  static samples of(const std::vector<double>& runs);
};

/// A figure as it was measured.
struct row {
  std::string group;
  std::string name;
  std::string unit;
  std::string baseline;
  bench::target target;
  std::optional<samples> value;  // nothing: not measured, see `missing`
  std::optional<samples> baseline_value;
  std::string missing;  // why a side was not measured

  /// Ours to the baseline's; nothing unless both were measured.
  std::optional<double> ratio() const;
  /// Nothing where there is no target, or what it needs was not measured.
  std::optional<bool> met() const;
};

/// Runs ours and each baseline in turn `runs` times, after one run of each that does not count. A row
/// for each baseline, all with the same value of ours; one row where there is none.
std::vector<row> measure(const figure& what, int runs);

}  // namespace weft::bench
