#pragma once

#include <algorithm>
#include <string_view>

namespace weft::inline v1::http::detail {

/// Takes the first segment off `path`, which begins with '/'.
inline std::string_view take_segment(std::string_view& path) noexcept {
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

}  // namespace weft::inline v1::http::detail
