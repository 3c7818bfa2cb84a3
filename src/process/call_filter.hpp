#pragma once

#include <weft/process/restrictions.hpp>

namespace weft::inline v1::process::detail {

/// Has the kernel check the system calls of this thread from now on. False with errno.
bool filter_calls(system_calls allowed) noexcept;

}  // namespace weft::inline v1::process::detail
