#pragma once

#include <string>
#include <string_view>

namespace weft::inline v1::process {

/// The path of the program `name`: itself where it has a slash, else the first executable file of that
/// name in the folders of `path`, which are separated by colons. Relative and empty ones are passed over, as
/// what they mean would depend on the working directory. Throws weft::error: not_found, with the
/// folders that were looked through, and refused where there is such a file that is not executable.
std::string find_program(std::string_view name, std::string_view path);

/// The same with this process's PATH, or "/usr/local/bin:/usr/bin:/bin" without one.
std::string find_program(std::string_view name);

}  // namespace weft::inline v1::process
