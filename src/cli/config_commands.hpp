#pragma once

#include "cli/arguments.hpp"

namespace weft::inline v1::cli {

/// `weft config show` and `weft config check`.
command add_config(CLI::App& to);

}  // namespace weft::inline v1::cli
