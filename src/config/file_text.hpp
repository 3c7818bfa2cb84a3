#pragma once

#include <string>

namespace weft::inline v1::config {

/// What a file holds. Throws weft::error: what opening or reading it says; refused for what is no regular
/// file; too_large over 1 MiB.
std::string read_file(const std::string& path);

/// The same of a file with a secret, without the end of its line; refused where everybody may read it.
std::string read_secret_file(const std::string& path);

}  // namespace weft::inline v1::config
