#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace weft::inline v1::cli {

/// `weft completion` and `weft manual`, which tell of all commands of `whole`. `enter` has one chosen when it
/// is named.
void add_shell_commands(CLI::App& whole, const std::function<void(CLI::App&, command)>& enter);

/// What the scripts of `weft completion` ask: prints completion_lines() for these words.
int print_completions(const CLI::App& whole, const std::vector<std::string>& words);

}  // namespace weft::inline v1::cli
