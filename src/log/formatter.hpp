#pragma once

#include <weft/log/format.hpp>
#include <weft/log/sink.hpp>

namespace weft::inline v1::log::detail {

/// What makes the lines of a sink.
line_formatter formatter_for(line_format asked, bool is_terminal, bool coloured);

}  // namespace weft::inline v1::log::detail
