#pragma once

#include <string>
#include <string_view>

namespace weft::inline v1::trace::detail {

/// As it may stand in a baggage value.
std::string percent_encoded(std::string_view text);

/// The bytes behind it, where they are UTF-8; U+FFFD for each byte that is not. A % without two hex digits
/// stands for itself.
std::string percent_decoded(std::string_view text);

}  // namespace weft::inline v1::trace::detail
