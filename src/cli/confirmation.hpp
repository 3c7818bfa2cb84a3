#pragma once

#include <optional>
#include <string>

namespace weft::inline v1::cli {

/// Asks on the terminal: "QUESTION [y/N] ". Nothing where there is no terminal to ask on: stdin and stderr
/// have to be one.
std::optional<bool> confirmed(const std::string& question);

}  // namespace weft::inline v1::cli
