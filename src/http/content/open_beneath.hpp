#pragma once

#include <string>

#include <weft/core/unique_fd.hpp>
#include <weft/http/static_files.hpp>

namespace weft::inline v1::http::detail {

/// How a name is looked up.
enum class looked_up_by : unsigned char {
  kernel,  ///< openat2, where the kernel has it; else by names
  names,   ///< each name of the path in the open folder above it; no links
};

/// Opens what `path` names below the open folder `root`, which it never leaves. `path` has no empty names, no
/// "." and no ".."; none at all is `root` itself. Nothing where it cannot be had, with errno. Blocks.
unique_fd open_beneath(int root, const std::string& path, int flags, served_links links,
                       looked_up_by how = looked_up_by::kernel);

}  // namespace weft::inline v1::http::detail
