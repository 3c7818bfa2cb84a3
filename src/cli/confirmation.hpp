#pragma once

#include <optional>
#include <string>

namespace weft::inline v1::cli {

/// Asks on the terminal: "QUESTION [y/N] ". Nothing where there is no terminal to ask on: stdin and stderr
/// have to be one.
std::optional<bool> confirmed(const std::string& question);

/// Asks before many things are changed, unless `yes` is said. exit_ok: go on; else the exit status of
/// `command`: exit_failed where the answer was no, exit_usage, with what to say, where there is no terminal.
int ask_first(bool yes, const char* command, const std::string& question);

}  // namespace weft::inline v1::cli
