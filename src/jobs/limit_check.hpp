#pragma once

#include <string_view>

#include <weft/jobs/limits.hpp>

namespace weft::inline v1::jobs {

/// Throws weft::error (invalid_argument) unless it is a limit. `doing`: "push a job".
void check_limit(const limit_options& limit, std::string_view doing);

}  // namespace weft::inline v1::jobs
