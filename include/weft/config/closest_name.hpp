#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft::inline v1::config {

/// Of the names the one that `given` was mistyped from; empty where none is near.
std::string closest_name(std::string_view given, const std::vector<std::string>& names);

}  // namespace weft::inline v1::config
