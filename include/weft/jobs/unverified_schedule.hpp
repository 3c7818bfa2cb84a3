#pragma once

#include <optional>
#include <string_view>

#include <weft/jobs/cron.hpp>
#include <weft/jobs/schedule.hpp>
#include <weft/jobs/store.hpp>

// Schedules without keys: the cron expression and the zone are beside the envelope. Nothing is verified, so
// this is for people alone; what a worker pushes, it reads from what was signed.

namespace weft::inline v1::jobs {

/// What the row says. Never throws for the sake of stored bytes.
schedule_info unverified(const stored_schedule& row);

/// Of the schedule, as its expression says; nothing where it cannot be read.
std::optional<cron> cron_of(const schedule_info& from);

/// As queue::resume_schedule, without keys. False: there is none of that name. Waits for the store.
bool resume_unverified(store& in, std::string_view name, moment now);

}  // namespace weft::inline v1::jobs
