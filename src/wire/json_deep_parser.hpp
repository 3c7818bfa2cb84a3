#pragma once

#include <cstddef>
#include <string_view>

#include "wire/json_tape.hpp"

namespace weft::inline v1::wire::detail {

/// How deep the lists and objects of a text are nested, if it is JSON.
std::size_t depth_of(std::string_view text);

/// Reads a text of any depth up to `depth_max` without recursion.
void parse_deep(std::string_view text, std::size_t depth_max, json_tape& into);

}  // namespace weft::inline v1::wire::detail
