#pragma once

#include "cli/arguments.hpp"

namespace weft::inline v1::cli {

/// The options of `weft dashboard`.
command add_dashboard(CLI::App& to);

}  // namespace weft::inline v1::cli
