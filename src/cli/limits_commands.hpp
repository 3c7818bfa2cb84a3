#pragma once

#include "cli/arguments.hpp"

namespace weft::inline v1::cli {

/// The options of `weft limits` and its commands.
command add_limits(CLI::App& to);

}  // namespace weft::inline v1::cli
