#pragma once

#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace weft::inline v1::cli {

/// The options of `weft schedules` and its commands; `program` is what take_program took off.
command add_schedules(CLI::App& to, std::vector<std::string> program);

}  // namespace weft::inline v1::cli
