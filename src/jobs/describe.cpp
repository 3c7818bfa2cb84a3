#include <weft/jobs/describe.hpp>

#include <utility>

#include "jobs/job_envelope.hpp"
#include "jobs/kept_attempt.hpp"
#include "jobs/unsigned_job.hpp"

namespace weft::inline v1::jobs {
namespace {

/// It is shown, too: nobody takes it for signed.
void read_unsigned_envelope(job_info& into, const stored_job& job) {
  into.problem = "it has no signature: only workers run it whose unsigned_jobs name its queue and closure";
  try {
    job_envelope read = read_unsigned(job);
    into.source = std::move(read.source);
    into.arguments = std::move(read.arguments);
    into.attempts_max = read.attempts_max;
  } catch (const error& bad) {
    into.problem = bad.message();
  }
}

void read_envelope(job_info& into, const std::string& envelope, const wire::key_ring& keys,
                   std::string_view tenant) {
  try {
    job_envelope sealed = unseal(keys, envelope);
    check_row(sealed, into.id, into.queue, into.closure);
    check_tenant(sealed, tenant);
    into.source = std::move(sealed.source);
    into.arguments = std::move(sealed.arguments);
    into.attempts_max = sealed.attempts_max;
    into.due = sealed.not_before;
  } catch (const error& bad) {
    into.problem = bad.message();
  }
}

}  // namespace

job_info describe(stored_job job, const wire::key_ring* keys, std::string_view tenant) {
  job_info info;
  info.id = job.id;
  info.queue = job.queue;
  info.closure = job.handler;
  info.state = job.state;
  info.priority = job.priority;
  info.created = job.created;
  info.run_at = job.run_at;
  info.finished = job.finished;
  info.attempts = job.attempts;
  info.backoffs = job.backoffs;
  info.crashes = job.crashes;
  info.owner = job.owner;
  info.cancel_requested = job.cancel_requested;
  info.tags = std::move(job.tags);
  info.progress = std::move(job.progress);
  info.limit = std::move(job.limit);
  info.waits_for = std::move(job.waits_for);
  if (is_unsigned(job.envelope)) {
    read_unsigned_envelope(info, job);
  } else if (keys != nullptr) {
    read_envelope(info, job.envelope, *keys, tenant);
  }
  for (auto& one : job.past) info.past.push_back(read_attempt(one));
  return info;
}

}  // namespace weft::inline v1::jobs
