#pragma once

#include "cli/arguments.hpp"

namespace weft::cli {

/// The options of `weft dashboard`.
command add_dashboard(CLI::App& to);

}  // namespace weft::cli
