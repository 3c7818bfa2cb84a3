#pragma once

#include <cstdint>
#include <string>

namespace weft::inline v1::detail {

/// The ELF module (program or shared library) that holds an address.
struct module_info {
  std::string build_id;     // in hex; empty where it was linked without one
  std::uintptr_t base = 0;  // what the loader added to the addresses in its file
  bool found = false;
};

module_info module_of(const void* address);

}  // namespace weft::inline v1::detail
