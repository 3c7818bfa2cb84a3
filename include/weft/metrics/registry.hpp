#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <weft/core/unique_function.hpp>
#include <weft/metrics/counter.hpp>
#include <weft/metrics/description.hpp>
#include <weft/metrics/family.hpp>
#include <weft/metrics/gauge.hpp>
#include <weft/metrics/histogram.hpp>
#include <weft/metrics/snapshot.hpp>
#include <weft/metrics/source.hpp>

namespace weft::inline v1::metrics {

/// How a registry is made.
struct registry_options {
  std::size_t families_max = 1000;  ///< registration throws resource_exhausted above
};

/// Holds metrics and gives snapshots of them. Programs use default_registry(); tests make their own.
///
/// Registering a name again with the same kind, unit, labels and bounds gives the same metric, so every
/// object that counts may ask for it. Registration throws weft::error: invalid_argument where a name,
/// unit, label or bound breaks the rules of `description`; already_exists where the name has another kind,
/// unit, labels or bounds; resource_exhausted at families_max. What is registered stays until the registry
/// ends.
///
/// Thread-safety: all members. Registration and snapshots take locks, for short, and allocate; counting does
/// not. Lifetime: outlives the use of its handles; its sources may outlive it.
class registry {
 public:
  explicit registry(registry_options options = {});
  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;
  ~registry();

  /// Metrics without labels.
  counter get_counter(const description& what);
  gauge get_gauge(const description& what);
  histogram get_histogram(const description& what, const std::vector<double>& bounds = duration_bounds());

  /// Metrics with labels: at least one label name.
  family<counter> get_counters(const description& what);
  family<gauge> get_gauges(const description& what);
  family<histogram> get_histograms(const description& what,
                                   const std::vector<double>& bounds = duration_bounds());

  /// Has `read` called at each snapshot, on the thread that takes it, to give values for `families`. It may
  /// take a short lock and must not wait: a wait in it throws. What it throws goes into the snapshot's
  /// `problems` and is counted in weft_metrics_source_errors_total; what it had given by then is kept. It
  /// must not take a snapshot, add or end a source. One call at a time.
  source add_source(std::vector<given_family> families, unique_function<void(readings&)> read);

  /// All metrics now. One snapshot at a time; others wait for it.
  snapshot take_snapshot() const;

 private:
  std::shared_ptr<detail::registry_state> state_;
};

/// The registry of the process; weft's own metrics are here. Made at the first call, never destroyed. A
/// forked child starts with a copy of all values.
registry& default_registry();

}  // namespace weft::inline v1::metrics
