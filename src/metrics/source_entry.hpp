#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <weft/core/unique_function.hpp>
#include <weft/metrics/source.hpp>

#include "metrics/family_state.hpp"

namespace weft::inline v1::metrics::detail {

/// What sources gave in one snapshot.
using given_by_family = std::map<const family_state*, given_values>;

/// One source in its registry: its function, and the families it may give values for.
class source_entry {
 public:
  source_entry(std::vector<family_state*> families, unique_function<void(readings&)> read)
      : families_(std::move(families)), read_(std::move(read)) {}

  /// Calls the function; it adds to `given`. What it throws comes out.
  void read(given_by_family& given);
  /// The family of that name. Throws weft::error (misuse) if it is not one of this source.
  family_state& get_family(std::string_view name) const;

 private:
  std::vector<family_state*> families_;
  unique_function<void(readings&)> read_;
};

/// Throws weft::error (misuse) inside a source's function, where `what` would wait for itself.
void require_outside_source(const char* what);

/// Behind `readings`: where the values of one source go.
class source_values {
 public:
  source_values(const source_entry& from, given_by_family& given) : from_(from), given_(given) {}
  void add(std::string_view name, double value, std::span<const std::string_view> label_values);

 private:
  const source_entry& from_;
  given_by_family& given_;
};

}  // namespace weft::inline v1::metrics::detail
