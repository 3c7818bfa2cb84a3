#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace weft::store_contract_support {

/// A fresh folder under the system's place for temporary files; the caller removes it.
inline std::string make_folder() {
  const char* const base = std::getenv("TMPDIR");
  std::string path = std::string(base != nullptr ? base : "/tmp") + "/weft-jobs-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary folder: " + path);
  return path;
}

}  // namespace weft::store_contract_support
