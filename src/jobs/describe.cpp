#include <weft/jobs/describe.hpp>

#include <algorithm>
#include <utility>

#include <weft/context/wire_values.hpp>
#include <weft/trace/span_context.hpp>

#include "jobs/job_envelope.hpp"
#include "jobs/job_step.hpp"
#include "jobs/kept_attempt.hpp"
#include "jobs/unsigned_job.hpp"

namespace weft::inline v1::jobs {
namespace {

constexpr std::string_view trace_key = "weft.trace";

void read_context(job_info& into, const std::string& bytes, std::span<const std::string> shown) {
  for (auto& one : wire_values(bytes)) {
    if (one.name == trace_key) {
      if (const auto place = context_codec<trace::span_context>::from_text(one.text)) {
        into.trace = to_string(place->trace);
        into.span = to_string(place->span);
      }
      continue;
    }
    const bool hidden = one.may_be_secret && std::ranges::find(shown, one.name) == shown.end();
    into.context.push_back({std::move(one.name), hidden ? std::string() : std::move(one.text), hidden});
  }
}

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
                   std::string_view tenant, std::span<const std::string> shown_context) {
  try {
    job_envelope sealed = unseal(keys, envelope);
    check_row(sealed, into.id, into.queue, into.closure);
    check_tenant(sealed, tenant);
    into.source = std::move(sealed.source);
    into.arguments = std::move(sealed.arguments);
    into.attempts_max = sealed.attempts_max;
    into.due = sealed.not_before;
    into.timeout = sealed.timeout;
    into.expires = sealed.expires;
    into.tenant = std::move(sealed.tenant);
    read_context(into, sealed.context, shown_context);
  } catch (const error& bad) {
    into.problem = bad.message();
  }
}

}  // namespace

job_info describe(stored_job job, const wire::key_ring* keys, std::string_view tenant,
                  std::span<const std::string> shown_context) {
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
    read_envelope(info, job.envelope, *keys, tenant, shown_context);
  }
  for (auto& one : job.past) info.past.push_back(read_attempt(one));
  return info;
}

job_steps steps_of(store& from, job_id id, const wire::key_ring& keys, std::size_t skip, std::size_t count) {
  std::vector<std::string> kept;
  job_steps all;
  from.read_steps(id, [&](std::string_view value) {
    if (all.total++ >= skip && kept.size() < count) kept.emplace_back(value);
  });
  for (const auto& one : kept) {
    job_step_info& made = all.steps.emplace_back();
    try {
      auto [name, result] = read_named_step(keys, id, one);
      made.name = std::move(name);
      made.is_cut = result.size() > step_bytes_shown;
      made.result = result.substr(0, step_bytes_shown);
    } catch (const error& bad) {
      made.problem = bad.message();
    }
  }
  std::ranges::sort(all.steps, {}, &job_step_info::name);
  return all;
}

}  // namespace weft::inline v1::jobs
