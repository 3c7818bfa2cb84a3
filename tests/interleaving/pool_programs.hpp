#pragma once

#include <string_view>

#include "interleaving/explorer.hpp"

namespace explore {

/// Runs the program of pools that is called `name` through all orders; throws std::invalid_argument where
/// there is none.
outcome pool_program(std::string_view name);

}  // namespace explore
