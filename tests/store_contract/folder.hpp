#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace weft::store_contract_support {

/// A fresh folder in memory, where there is such a place: the tests sync many thousand times, and none of
/// them depends on what that costs. The caller removes it.
inline std::string make_folder() {
  std::string path = std::string(::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") + "/weft-jobs-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary folder: " + path);
  return path;
}

}  // namespace weft::store_contract_support
