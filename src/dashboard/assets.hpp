#pragma once

#include <array>
#include <string_view>

namespace weft::inline v1::dashboard {

/// A file of the page, as it is in the program.
struct asset {
  std::string_view name;
  std::string_view type;
  std::string_view bytes;
  std::string_view tag;  ///< of these bytes, for ETag
};

/// All of them: index.html, app.css, app.js.
const std::array<asset, 3>& assets() noexcept;

}  // namespace weft::inline v1::dashboard
