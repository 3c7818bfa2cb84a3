#pragma once

#include "cli/arguments.hpp"

namespace weft::cli {

/// `weft config show` and `weft config check`.
command add_config(CLI::App& to);

}  // namespace weft::cli
