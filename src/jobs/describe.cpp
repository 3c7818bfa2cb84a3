#include <weft/jobs/describe.hpp>

#include <utility>

#include "jobs/job_envelope.hpp"
#include "jobs/kept_attempt.hpp"

namespace weft::jobs {
namespace {

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
  info.queue = std::move(job.queue);
  info.closure = std::move(job.handler);
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
  if (keys != nullptr) read_envelope(info, job.envelope, *keys, tenant);
  for (auto& one : job.past) info.past.push_back(read_attempt(one));
  return info;
}

}  // namespace weft::jobs
