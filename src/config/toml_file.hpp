#pragma once

#include <string>
#include <vector>

#include <weft/config/config.hpp>

namespace weft::inline v1::config {

/// A value of a file, by its dotted name.
struct toml_entry {
  std::string name;
  detail::raw_value value;
  std::string where;  // "/etc/shop.toml:12"
};

/// All values of a file. Throws weft::error: what opening it says, or malformed with the line and what is
/// wrong there.
std::vector<toml_entry> read_toml(const std::string& path);

}  // namespace weft::inline v1::config
