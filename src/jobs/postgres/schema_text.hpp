#pragma once

#include <span>

namespace weft::inline v1::jobs::postgres {

/// A step from one version of the schema to the next, as files of the folder schema/ have it: tables and
/// types.
struct schema_step {
  int version = 0;
  std::span<const char* const> scripts;  ///< one a file; to be run in one transaction
};

/// In the order of their versions, from 1. The build makes them from schema/.
std::span<const schema_step> schema_steps() noexcept;

/// The functions of the last version: to be run after its step, in the same transaction. Those of earlier
/// versions are replaced, or left to the builds that call them.
std::span<const char* const> schema_functions() noexcept;

}  // namespace weft::inline v1::jobs::postgres
