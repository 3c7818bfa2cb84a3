#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// What the readers of JSON text share.

namespace weft::inline v1::wire::detail {

/// Behind the quote that ends the text which begins at `begin`; the end of all where there is none.
std::size_t end_of_text(std::string_view text, std::size_t begin);

/// Throws weft::error (malformed) that names the place.
[[noreturn]] void throw_not_json(std::string_view text, std::size_t at, const std::string& why);

}  // namespace weft::inline v1::wire::detail
