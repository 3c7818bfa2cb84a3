#pragma once

#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace weft::inline v1::cli {

/// The options of `weft jobs` and its commands; `program` is what take_program took off.
command add_jobs(CLI::App& to, std::vector<std::string> program);

/// The options of `weft work`.
command add_work(CLI::App& to);

}  // namespace weft::inline v1::cli
