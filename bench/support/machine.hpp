#pragma once

#include <string>
#include <utility>
#include <vector>

namespace weft::bench {

/// What the figures depend on: processor, number of them, kernel, compiler, how this program was built.
std::vector<std::pair<std::string, std::string>> describe_machine();

}  // namespace weft::bench
