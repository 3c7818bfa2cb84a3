#pragma once

#include <vector>

#include "jobs/postgres/link/parameters.hpp"

namespace weft::inline v1::jobs::postgres {

/// The arrays that libpq wants of parameters. Refers to them.
class wire_parameters {
 public:
  explicit wire_parameters(const parameters& of);

  int count() const noexcept { return static_cast<int>(types_.size()); }
  const unsigned int* types() const noexcept { return types_.data(); }
  const char* const* values() const noexcept { return values_.data(); }
  const int* lengths() const noexcept { return lengths_.data(); }
  const int* formats() const noexcept { return formats_.data(); }

 private:
  std::vector<unsigned int> types_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

}  // namespace weft::inline v1::jobs::postgres
