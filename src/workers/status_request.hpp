#pragma once

#include <string_view>

namespace weft::workers::detail {

/// What a client says, first and alone, that wants to know what the server is doing: the native magic and a
/// frame `status` without payload.
std::string_view status_request();

}  // namespace weft::workers::detail
