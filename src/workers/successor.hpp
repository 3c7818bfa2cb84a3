#pragma once

#include <weft/process/successor.hpp>

namespace weft::inline v1::workers::detail {

using process::detail::own_start;
using process::detail::successor;
using process::detail::successor_says;

}  // namespace weft::inline v1::workers::detail
