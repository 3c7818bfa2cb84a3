#pragma once

#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace weft::cli {

/// Takes what stands behind the -- of `weft jobs push` off the command line: a program and its arguments, of
/// which nothing is to be taken for an option.
std::vector<std::string> take_program(int& argc, char** argv);

/// The options of `weft jobs` and its commands; `program` is what was taken off.
command add_jobs(CLI::App& to, std::vector<std::string> program);

/// The options of `weft work`.
command add_work(CLI::App& to);

}  // namespace weft::cli
