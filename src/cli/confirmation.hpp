#pragma once

#include <optional>
#include <string>

namespace weft::cli {

/// Asks on the terminal: "QUESTION [y/N] ". Nothing where there is no terminal to ask on: stdin and stderr
/// have to be one.
std::optional<bool> confirmed(const std::string& question);

}  // namespace weft::cli
