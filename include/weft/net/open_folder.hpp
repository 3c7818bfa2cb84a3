#pragma once

#include <dirent.h>
#include <memory>

namespace weft::inline v1::files::detail {

struct close_folder {
  void operator()(DIR* opened) const noexcept { ::closedir(opened); }
};

/// A folder whose names are read (readdir).
using open_folder = std::unique_ptr<DIR, close_folder>;

}  // namespace weft::inline v1::files::detail
