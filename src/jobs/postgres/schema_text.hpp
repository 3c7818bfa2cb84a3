#pragma once

#include <span>

namespace weft::inline v1::jobs::postgres {

/// A step from one version of the schema to the next, as files of the folder schema/ have it.
struct schema_step {
  int version = 0;
  std::span<const char* const> scripts;  ///< one a file; to be run in one transaction
};

/// In the order of their versions, from 1. The build makes them from schema/.
std::span<const schema_step> schema_steps() noexcept;

}  // namespace weft::inline v1::jobs::postgres
