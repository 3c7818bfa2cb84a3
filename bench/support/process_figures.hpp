#pragma once

#include <cstddef>

namespace weft::bench {

/// Bytes of memory that this process has resident.
double resident_bytes();
/// Its mappings: the lines of /proc/self/maps.
std::size_t mappings();

}  // namespace weft::bench
