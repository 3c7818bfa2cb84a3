#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::http::detail {

/// What stands on the page of a folder.
struct folder_listing {
  std::vector<std::string> names;  ///< sorted; folders with '/' at the end
  bool is_cut = false;             ///< there are more
};

/// The folders and regular files in an open folder, which it closes. Blocks. Throws weft::error.
folder_listing list_folder(unique_fd folder, bool shows_dot_files, std::size_t names_max);

/// The page: all text escaped. `path` is what the client asked for.
std::string listing_page(const folder_listing& listed, std::string_view path);

}  // namespace weft::inline v1::http::detail
