#pragma once

#include <span>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/postgres/caller.hpp"
#include "jobs/postgres/names.hpp"

namespace weft::jobs::postgres {

/// May its push wait for a transaction of somebody else's? So that it shall not hold up plain ones.
bool is_plain(const new_job& job) noexcept;

/// The statement that pushes, and its parameters.
extern const char* const push_statement;
/// `is_short`: the transaction ends at once, so it may lock limits. The names of the jobs must be known.
parameters push_parameters(const names& known, std::span<const new_job* const> jobs, bool is_short);
/// The ids that the statement gave, in the order of the jobs.
std::vector<job_id> pushed_ids(const result& from);

/// Pushes them, all or none.
std::vector<job_id> push_jobs(caller& by, names& known, std::span<const new_job* const> jobs);

/// Makes the rows of these jobs' limits, in a transaction of its own.
void know_limits(caller& by, std::span<const new_job* const> jobs);

}  // namespace weft::jobs::postgres
