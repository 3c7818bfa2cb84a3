#pragma once

#include "cli/arguments.hpp"

namespace weft::inline v1::cli {

/// The options of `weft db` and its commands.
command add_db(CLI::App& to);

}  // namespace weft::inline v1::cli
