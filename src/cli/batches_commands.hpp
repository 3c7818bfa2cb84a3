#pragma once

#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace weft::inline v1::cli {

/// The options of `weft batches` and its commands.
command add_batches(CLI::App& to, std::vector<std::string> program);

}  // namespace weft::inline v1::cli
