#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weft::inline v1::ops::detail {

/// The value of that variable, which is taken out of the environment; nothing where it is not set or empty.
std::optional<std::string> take_variable(const char* name);

/// As a whole number from 0 to `most`. Throws weft::error (invalid_argument) for another text.
std::uint64_t number_in(const char* name, const std::string& text, std::uint64_t most);

/// Is `pid`, a variable that names whom others are for, this process or not said?
bool is_for_this_process(const char* name, const std::optional<std::string>& pid);

}  // namespace weft::inline v1::ops::detail
