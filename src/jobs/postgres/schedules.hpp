#pragma once

#include <string_view>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/postgres/caller.hpp"
#include "jobs/postgres/names.hpp"

namespace weft::inline v1::jobs::postgres {

void put_schedule(caller& by, const stored_schedule& schedule);
bool remove_schedule(caller& by, std::string_view name);
bool pause_schedule(caller& by, std::string_view name);
bool resume_schedule(caller& by, std::string_view name, moment last, moment next);
/// By name.
std::vector<stored_schedule> all_schedules(caller& by);
/// Those of a queue that are not paused, longest due first.
std::vector<stored_schedule> schedules_of(caller& by, std::string_view queue);
bool fire_schedule(caller& by, names& known, const schedule_fire& fire);

}  // namespace weft::inline v1::jobs::postgres
