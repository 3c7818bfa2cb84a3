#pragma once

#include <span>

namespace weft::jobs::postgres {

/// A step from one version of the schema to the next, as files of the folder schema/ have it.
struct migration {
  int version = 0;
  const char* sql = nullptr;
};

/// In the order of their versions, from 1. The build makes them from schema/.
std::span<const migration> migrations() noexcept;

}  // namespace weft::jobs::postgres
