#pragma once

#include <string_view>

#include "jobs/cron/fields.hpp"

namespace weft::inline v1::jobs::detail {

/// Reads a cron expression. Throws weft::error (invalid_argument) that names the field and the character;
/// also where it is never due.
cron_fields parse_cron(std::string_view expression);

}  // namespace weft::inline v1::jobs::detail
