#pragma once

#include <string>
#include <vector>

namespace weft::inline v1::cli {

/// Columns as wide as their widest cell, two spaces between, the left edges in line; a line for each row.
/// Cells are counted by their bytes.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace weft::inline v1::cli
