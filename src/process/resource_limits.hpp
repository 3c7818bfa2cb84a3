#pragma once

#include <vector>

#include <weft/process/limits.hpp>

#include "process/launch.hpp"

namespace weft::inline v1::process::detail {

/// What `wanted` asks of the system.
std::vector<resource_limit> resource_limits_of(const limits& wanted);

/// The member of `limits` that stands for a resource of setrlimit.
const char* name_of_limit(int resource) noexcept;

}  // namespace weft::inline v1::process::detail
