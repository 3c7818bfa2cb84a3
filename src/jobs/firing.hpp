#pragma once

#include <weft/jobs/store.hpp>

#include "jobs/attempt.hpp"

namespace weft::jobs {

/// What a due schedule does now: its jobs for the times that its policy wants, and when it is due next. One
/// that cannot be read pushes nothing, is logged, and is looked at again in a minute; its times are kept
/// for then. Never throws for the sake of the row.
schedule_fire fire_of(const stored_schedule& row, const job_keys& with, moment now);

}  // namespace weft::jobs
