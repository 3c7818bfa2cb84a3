#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <weft/metrics/description.hpp>

namespace weft::inline v1::metrics {

namespace detail {
class registry_state;
class source_entry;
class source_values;
}  // namespace detail

/// A family that a source gives: counter or gauge.
struct given_family {
  description what;
  metrics::kind kind = metrics::kind::gauge;
};

/// What a source fills when a snapshot is taken.
class readings {
 public:
  explicit readings(detail::source_values& values) noexcept : values_(&values) {}

  /// Adds `value` to the sample of the family `name` with these label values. So several sources, or
  /// several objects of one name, add up. Throws weft::error (misuse) for a name that the source was not
  /// added with, or another number of label values. A counter's value must be finite and not negative, else
  /// it is left out and counted as refused.
  void add(std::string_view name, double value, std::span<const std::string_view> label_values);
  void add(std::string_view name, double value, std::initializer_list<std::string_view> label_values = {}) {
    add(name, value, std::span<const std::string_view>(label_values.begin(), label_values.size()));
  }

 private:
  detail::source_values* values_;
};

/// Keeps a function in its registry that is asked at each snapshot. For figures that something knows
/// anyway: nothing is counted twice, and nothing costs while nobody looks.
///
/// Its end takes the function out, and waits for a snapshot that is calling it: afterwards the function is
/// not running and will not run. So never end it while holding a lock that the function takes, nor in the
/// function: the latter ends the program. It may outlive the registry. Move-only; thread-safe against the
/// registry.
class [[nodiscard]] source {
 public:
  source() noexcept = default;
  source(std::weak_ptr<detail::registry_state> registry, detail::source_entry* entry) noexcept
      : registry_(std::move(registry)), entry_(entry) {}
  source(source&& other) noexcept
      : registry_(std::move(other.registry_)), entry_(std::exchange(other.entry_, nullptr)) {}
  source& operator=(source&& other) noexcept;
  ~source() { end(); }

  /// Takes the function out now. Again: nothing.
  void end() noexcept;

 private:
  std::weak_ptr<detail::registry_state> registry_;
  detail::source_entry* entry_ = nullptr;
};

}  // namespace weft::inline v1::metrics
