#pragma once

#include <string>

#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::workers::detail {

/// A client of a listening server that has no worker: it has just come, or its worker went between two
/// checkouts.
struct unserved_client {
  unique_fd connection = {};   ///< -1: none
  std::string said = {};       ///< was read from it, and nobody has answered it
  bool is_compatible = false;  ///< surely of the older protocol: it had a worker
};

}  // namespace weft::inline v1::workers::detail
