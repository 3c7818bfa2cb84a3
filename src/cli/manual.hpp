#pragma once

#include <string>
#include <vector>

#include "cli/command_tree.hpp"

namespace weft::inline v1::cli {

/// A page of the manual, as man(7) reads it.
struct manual_page {
  std::string file;  ///< "weft-jobs.1"
  std::string text;
};

/// One of weft, and one of each of its commands with all below it.
std::vector<manual_page> manual_of(const command_tree& all);

}  // namespace weft::inline v1::cli
