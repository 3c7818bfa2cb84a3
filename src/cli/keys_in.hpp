#pragma once

#include <memory>
#include <string>

#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::cli {

/// The keys of a file, as the option --key-file names it; null for an empty path. Throws as key_ring::load.
inline std::shared_ptr<const wire::key_ring> keys_in(const std::string& path) {
  return path.empty() ? nullptr : std::make_shared<const wire::key_ring>(wire::key_ring::load(path));
}

}  // namespace weft::inline v1::cli
