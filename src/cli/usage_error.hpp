#pragma once

#include <string>

#include "cli/arguments.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the name of the library
class ParseError;
}

namespace weft::inline v1::cli {

/// What is wrong with a command line, for people: the command, what of it, the name that may have been meant,
/// and where more is said.
std::string usage_error_text(const CLI::App& app, const CLI::ParseError& wrong);

}  // namespace weft::inline v1::cli
