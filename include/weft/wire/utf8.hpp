#pragma once

#include <string_view>

namespace weft::inline v1::wire {

/// Is the text UTF-8 of Unicode scalar values: no overlong forms, no surrogates, nothing cut off?
bool is_utf8(std::string_view text) noexcept;

/// Throws weft::error (invalid_argument) unless is_utf8.
void require_utf8(std::string_view text);

}  // namespace weft::inline v1::wire
