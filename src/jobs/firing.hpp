#pragma once

#include <optional>

#include <weft/jobs/store.hpp>

#include "jobs/attempt.hpp"
#include "jobs/schedule_envelope.hpp"

namespace weft::inline v1::jobs {

/// How long a schedule rests that cannot be fired.
inline constexpr std::chrono::minutes pause_of_unread{1};

/// A job of the schedule, for the time `due`; pushed twice it would be two.
new_job job_of(const schedule_envelope& schedule, moment due, const wire::key_ring& keys, moment now);

/// What a due schedule does now: its jobs for the times that its policy wants, and when it is due next. One
/// that is not what was signed pushes nothing, is logged, and is due again after pause_of_unread; its times
/// are kept for then. Nothing: it cannot be read here, but perhaps by another worker; the row is to stay as
/// it is. That is logged, too. Never throws for the sake of the row.
std::optional<schedule_fire> fire_of(const stored_schedule& row, const job_keys& with, moment now);

}  // namespace weft::inline v1::jobs
