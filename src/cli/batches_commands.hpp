#pragma once

#include "cli/arguments.hpp"

namespace weft::cli {

/// The options of `weft batches` and its commands.
command add_batches(CLI::App& to);

}  // namespace weft::cli
