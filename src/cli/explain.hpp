#pragma once

#include <string>
#include <string_view>

namespace weft::inline v1::cli {

/// The text of docs/errors.md: a section with the name of each code.
std::string_view error_catalogue() noexcept;

/// What a code of an error means and what to do about it; without one, all codes in a line each.
int run_explain(const std::string& code);

}  // namespace weft::inline v1::cli
