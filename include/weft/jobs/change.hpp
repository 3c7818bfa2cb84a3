#pragma once

#include <optional>
#include <span>
#include <string>

#include <weft/jobs/job.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {

/// What people decide about jobs, one by one or many.
enum class job_change : unsigned char {
  retry,   ///< makes dead, cancelled and quarantined ones ready again
  cancel,  ///< gives waiting ones up, and asks running ones to
  remove,  ///< deletes all but running ones
};

/// The states of the jobs that are meant where somebody changes many and names no state: dead ones are
/// retried, all that have not ended are cancelled, and done, dead and cancelled ones are deleted.
std::span<const job_state> usual_states(job_change what) noexcept;

/// Changes the job. One that is to be deleted is left where it is not in the state any more in which it was
/// `seen`: somebody may have retried it meanwhile. Returns why it was left as it is, a sentence for people;
/// empty: it was changed. Waits for the store, and throws as store::retry, cancel and remove do, but for
/// already_exists and refused, which are reasons to leave it. Any fiber or thread.
std::string change_job(store& in, job_change what, job_id id, moment now,
                       std::optional<job_state> seen = std::nullopt);

}  // namespace weft::inline v1::jobs
