#pragma once

#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace weft::inline v1::cli {

/// What a command takes, as an option or by its place.
struct command_option {
  std::vector<std::string> names;  ///< "-q", "--quiet"; of one that goes by its place, its name alone
  std::string purpose;
  std::string value;     ///< what it wants: "FILE", "skip|one|all"; empty: nothing
  std::string variable;  ///< of the environment, that it has its value from otherwise; mostly empty
  bool is_required = false;
  bool may_repeat = false;
};

/// A command with all below it: what help, completion and manual pages are made of.
struct command_tree {
  std::string name;
  std::string purpose;
  std::string note;
  std::vector<command_option> options;
  std::vector<command_option> arguments;  ///< by their places
  std::vector<command_tree> commands;
};

/// Of the commands that are not hidden.
command_tree tree_of(const CLI::App& app);

}  // namespace weft::inline v1::cli
