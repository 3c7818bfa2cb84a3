#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weft::inline v1::cli {

struct new_options {
  std::string name;
  std::string folder;  ///< empty: of the project's name, here
};

/// `weft new`: writes a project that builds, runs and tests a job. Its files are made beside the folder and
/// moved there once all are whole. A folder that has something in it is left alone.
int run_new(const new_options& options);

/// A file of a new project: what is between two '@' is a word that run_new() knows.
struct project_file {
  std::string_view path;
  std::string_view text;
};
std::span<const project_file> project_files() noexcept;

}  // namespace weft::inline v1::cli
