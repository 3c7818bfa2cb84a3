#pragma once

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include <weft/core/error.hpp>

namespace weft_test {

/// A fresh folder of one test, which is gone afterwards with all that is in it. Its path is short enough for
/// sockets.
class scratch_folder {
 public:
  scratch_folder() {
    char name[] = "/tmp/weft-test-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw weft::system_error("make a folder in /tmp", errno);
    path_ = name;
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const noexcept { return path_; }
  /// The path of something in it.
  std::string operator/(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

}  // namespace weft_test
