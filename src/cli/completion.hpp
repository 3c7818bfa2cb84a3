#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command_tree.hpp"

namespace weft::inline v1::cli {

/// What may stand where the cursor is.
struct completions {
  enum class path_kind { none, files, folders };
  struct candidate {
    std::string text;     ///< the whole word: also the "--state=" before a value
    std::string purpose;  ///< may be empty
  };
  std::vector<candidate> candidates;
  path_kind paths = path_kind::none;  ///< the shell's own names of files fit, too
  /// What a database knows fits: "QUEUE", "ID" or "TAG"; empty: nothing of it. add_known_names() looks.
  std::string names = {};
  std::string database = {};  ///< its URL; empty: none was said
  std::string before = {};    ///< stands in front of each of these names: "--queue="
  std::string begun = {};     ///< what they begin with
};

/// `words` follow the program's name; the last one is begun, or empty.
completions complete(const command_tree& all, const std::vector<std::string>& words);

/// A line for each candidate, "text<TAB>purpose", and at last ":files" or ":folders" where those fit, too:
/// what the scripts of the shells read.
std::string completion_lines(const completions& all);

/// For bash, zsh or fish; empty for another one. It asks `weft __complete WORD...` at each key, so that it
/// never needs to be written anew.
std::string completion_script(std::string_view shell);

}  // namespace weft::inline v1::cli
