#include <weft/core/failure.hpp>
#include <weft/core/outside_work.hpp>
#include <weft/jobs/job_given_up.hpp>
#include <weft/jobs/queue.hpp>

#include "jobs/job_life.hpp"
#include "jobs/job_result.hpp"
#include "jobs/kept_attempt.hpp"

// Waiting for the end of a job: look, then sleep until the store says that it may have ended. The number of
// the bell is read before the look, so that an end in between is not missed.

namespace weft::inline v1::jobs {
namespace {

/// What the last attempt left; nothing where it left no error.
std::optional<failure> last_error(const stored_job& job) {
  return job.past.empty() ? std::nullopt : read_attempt(job.past.back()).error;
}

errc code_of(const stored_job& job, const std::optional<failure>& why) {
  if (job.state == job_state::cancelled) return errc::cancelled;
  if (why) return why->code;
  return job.state == job_state::quarantined ? errc::worker_died : errc::unknown;
}

[[noreturn]] void throw_given_up(const stored_job& job) {
  const auto why = last_error(job);
  std::string text =
      "jobs: wait for job " + to_string(job.id) + ": it is " + std::string(to_string(job.state));
  if (job.state == job_state::quarantined && !why)
    text += ", as it left " + std::to_string(job.crashes) + " dead workers behind";
  const job_given_up ended(code_of(job, why), job.id, job.state, std::move(text));
  if (!why) throw ended;
  try {
    why->raise();
  } catch (...) {
    std::throw_with_nested(ended);
  }
}

}  // namespace

std::optional<std::string> queue::wait_json(job_id id, steady_time until) {
  for (;;) {
    const auto seen = store_->end_bell(id);
    const auto found = store_->find(id);
    if (!found) {
      throw error(errc::not_found, "jobs: wait for job " + to_string(id) + ": it is not there (any more)");
    }
    if (found->state == job_state::done) {
      return found->result ? std::optional(read_result(keys(), id, *found->result)) : std::nullopt;
    }
    if (is_ended(found->state)) throw_given_up(*found);
    if (steady_clock::now() >= until) {
      throw error(errc::timed_out, "jobs: wait for job " + to_string(id) + ": it is still " +
                                       std::string(to_string(found->state)));
    }
    const weft::detail::outside_work somebody_runs_it;  // perhaps in another process
    store_->wait_end(id, seen, until);
  }
}

void queue::throw_no_result(job_id id) {
  throw error(errc::not_found, "jobs: wait for job " + to_string(id) +
                                   ": it is done, and left no result of that type; those that are too large "
                                   "are not kept");
}

}  // namespace weft::inline v1::jobs
