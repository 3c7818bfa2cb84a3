#pragma once

#include <string>
#include <vector>

#include <weft/jobs/job.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {

/// Why a job does not run now, as sentences for people, the one that counts first: its queue is paused, it
/// waits for its moment, for other jobs, for room within a limit, for a worker. Empty for one that runs or is
/// done. `job` is as store::find gives it. Waits for the store, and throws as it does.
std::vector<std::string> why_waiting(store& in, const stored_job& job, moment now);

}  // namespace weft::inline v1::jobs
