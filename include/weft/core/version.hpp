#pragma once

#include <string_view>

namespace weft {

/// The version of these headers, as semantic versioning has it.
inline constexpr std::string_view version = "0.1.0";

}  // namespace weft
