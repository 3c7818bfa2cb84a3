#include <algorithm>

#include <weft/core/clock.hpp>
#include <weft/core/fault_point.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>
#include <weft/trace/span.hpp>

#include "core/probe.hpp"
#include "jobs/attempt_link.hpp"
#include "jobs/jitter.hpp"
#include "jobs/job_ids.hpp"
#include "jobs/job_result.hpp"
#include "jobs/kept_attempt.hpp"
#include "jobs/later_pushes.hpp"
#include "jobs/worker_state.hpp"

// One attempt, on its own fiber, in the job's context. It is an edge: nothing that the function throws
// leaves it, and what is thrown here is logged and counted as a failure of the attempt.

namespace weft::inline v1::jobs {
namespace {

constexpr std::chrono::seconds pause_until_next_try{1};

// Which job a record is about, wherever it was written.
constexpr key_spec job_spec{.name = "weft.job", .wire = wire_policy::worker, .log = true};
const key<job_id> job_in_log{job_spec};
constexpr key_spec attempt_spec{.name = "weft.attempt", .wire = wire_policy::worker, .log = true};
const key<int> attempt_in_log{attempt_spec};

failure failure_of(const closure_refusal& refusal) {
  failure what;
  what.code = errc::unsupported;
  what.message = "jobs: run the closure: " + refusal.message;
  what.when = wall_clock::now();
  return what;
}

bool has_failed(const attempt_result& result) {
  return result.outcome == attempt_outcome::failed || result.outcome == attempt_outcome::crashed;
}

attempt_outcome outcome_of(run_fault fault) {
  switch (fault) {
    case run_fault::not_begun:
      return attempt_outcome::refused;
    case run_fault::died:
      return attempt_outcome::crashed;
    case run_fault::own:
      break;
  }
  return attempt_outcome::failed;
}

/// No later try would store it.
bool is_refused_push(errc code) {
  return code == errc::not_found || code == errc::refused || code == errc::already_exists ||
         code == errc::invalid_argument;
}

void log_failure(const claimed_job& claimed, const attempt_result& result) {
  if (!has_failed(result)) return;
  const char* const what = result.outcome == attempt_outcome::failed
                               ? "jobs: an attempt failed"
                               : "jobs: the worker process of an attempt died";
  log::critical(what, {{"job", to_string(claimed.id)},
                       {"queue", claimed.queue},
                       {"attempt", claimed.attempts + 1},
                       {"code", to_string(result.error->code)},
                       {"error", result.error->chain()}});
}

/// The span of an attempt, in the context of the task that pushed the job.
trace::span_options span_of(const job_envelope& job, const trace::span_context* pushed_by) {
  trace::span_options how{.kind = trace::span_kind::consumer};
  if (job.trace == job_trace::child) return how;
  how.new_trace = true;
  if (pushed_by != nullptr) how.links.push_back(*pushed_by);
  return how;
}

void note_outcome(trace::span& of, const attempt_result& result) {
  of.set({{"job.outcome", to_string(result.outcome)}});
  if (has_failed(result)) of.status(trace::span_status::error, result.error->chain());
}

}  // namespace

void worker::state::attempt(const begun_job& begun, const job_envelope& job, slot& taken) {
  const claimed_job& claimed = begun.claimed;
  const moment started = queue_.clock().now();
  const auto& meters = meters_.in(claimed.queue);
  const bool is_first = claimed.attempts == 0 && claimed.backoffs == 0 && claimed.crashes == 0;
  if (is_first) meters.wait.record(std::max(started - job.not_before, moment::duration::zero()));
  const steady_time began = steady_clock::now();
  WEFT_PROBE(job__start, static_cast<std::int64_t>(claimed.id), claimed.queue.c_str(), claimed.attempts + 1);
  const scoped_value which_job(job_in_log, claimed.id);
  const scoped_value which_attempt(attempt_in_log, claimed.attempts + 1);
  log::collector gathered({.pass_on = options_.pass_on_logs});
  later_pushes pushes(queue_);
  attempt_result result;
  try {
    result = run_traced(begun, job, pushes);
  } catch (...) {
    result = {attempt_outcome::failed, failure::from(std::current_exception())};
    log_failure(claimed, result);
  }
  meters.run.record(steady_clock::now() - began);
  WEFT_PROBE(job__end, static_cast<std::int64_t>(claimed.id), static_cast<int>(result.outcome));
  taken.leave();
  log::collection log = gathered.take_all();
  if (result.outcome == attempt_outcome::done && !result.again && !pushes.empty()) {
    try {
      const bool held = with_fresh_ids([&] {
        attempt_end end = end_of(claimed, job, result, started);
        end.record.records = log_to_store(log);
        end.pushes = pushes.make();
        return conclude(std::move(end));
      });
      if (held) meters.count(attempt_outcome::done, next_step::done);
      return;
    } catch (const error&) {
      result = {attempt_outcome::failed, failure::from(std::current_exception())};
      log_failure(claimed, result);
      for (auto& record : gathered.take_all().records) log.records.push_back(std::move(record));
    }
  }
  attempt_end end = end_of(claimed, job, result, started);
  if (result.outcome == attempt_outcome::failed) {
    note_age(claimed, job, end);
    for (auto& record : gathered.take_all().records) log.records.push_back(std::move(record));
  }
  end.record.records = log_to_store(log);
  const auto outcome = end.record.outcome;
  const auto next = end.next;
  if (conclude(std::move(end))) meters.count(outcome, next);
}

void worker::state::note_age(const claimed_job& claimed, const job_envelope& job, const attempt_end& end) {
  const auto age = end.now - job.not_before;
  meters_.in(claimed.queue).failed_age.record(age);
  const auto alert_after = retry_now()->alert_after;
  if (end.next != next_step::again || alert_after.count() <= 0 || age < alert_after) return;
  if (has_alerted(claimed, job.not_before + alert_after)) return;
  log::error("jobs: a job has failed for longer than it should",
             {{"job", to_string(claimed.id)},
              {"queue", claimed.queue},
              {"age_seconds", std::chrono::duration_cast<std::chrono::seconds>(age).count()},
              {"attempts", claimed.attempts + 1}});
}

/// Has an attempt before this one failed after that moment? Then it gave the alarm. Asked also where this one
/// was cancelled: later ones would take it for the one that gave it.
bool worker::state::has_alerted(const claimed_job& claimed, moment since) {
  try {
    const auto kept = shield([&] { return queue_.kept_in().find(claimed.id); });
    return kept && std::any_of(kept->past.begin(), kept->past.end(), [&](const stored_attempt& one) {
             return one.fence < claimed.fence && one.outcome == attempt_outcome::failed && one.ended >= since;
           });
  } catch (const error&) {
    return false;  // rather twice than never
  }
}

attempt_end worker::state::end_of(const claimed_job& claimed, const job_envelope& job,
                                  const attempt_result& result, moment started) const {
  const auto retry = retry_now();
  const attempt_rules rules{*retry, options_.crashes_max, options_.on_uncaught == on_uncaught::log_and_drop};
  attempt_end end = decide(claimed, job, result, rules, queue_.clock().now(), random_of(claimed));
  if (end.next == next_step::done && result.value) {
    end.result = result_to_store(queue_.keys(), claimed.id, *result.value);
  }
  end.record.started = started;
  return end;
}

attempt_result worker::state::run_traced(const begun_job& begun, const job_envelope& job,
                                         later_pushes& pushes) {
  const claimed_job& claimed = begun.claimed;
  const auto* const pushed_by = trace::current();
  const std::string_view identity = job.closure;
  trace::span here("job " + std::string(identity.substr(0, identity.find('('))),
                   {{"job.id", to_string(claimed.id)},
                    {"job.queue", claimed.queue},
                    {"job.attempt", claimed.attempts + 1}},
                   span_of(job, pushed_by));
  auto result = run_closure(begun, job, context::capture().to_wire(wire_policy::worker), pushes);
  note_outcome(here, result);
  log_failure(claimed, result);
  return result;
}

attempt_result worker::state::run_closure(const begun_job& begun, const job_envelope& job,
                                          std::string context, later_pushes& pushes) {
  const claimed_job& claimed = begun.claimed;
  attempt_link link(
      queue_, id_, claimed,
      {claimed.id, claimed.attempts + 1, claimed.backoffs, job.not_before, false, random_of(claimed)},
      pushes);
  cancel_scope scope;
  const claim_key key{claimed.id, claimed.fence};
  {
    const std::lock_guard lock(mutex_);
    running_.emplace(key, running_attempt{&scope});
  }
  if (!is_ours(begun)) return left(key, {attempt_outcome::cancelled});  // as those that ran when it was lost
  attempt_result result;
  try {
    closure_request request{job.closure, job.arguments, std::move(context), no_deadline, &link};
    if (job.timeout.count() > 0) request.deadline = deadline_after(job.timeout);
    const auto runner = places_.at(places_.of(job.closure, claimed.queue));
    const auto outcome = options_.around ? options_.around(*runner, request) : runner->run(request);
    log::emit(outcome.log);
    if (outcome.refusal) {
      result = {attempt_outcome::refused, failure_of(*outcome.refusal)};
    } else if (outcome.error) {
      result = {outcome_of(outcome.fault), outcome.error};
    } else {
      result.value = outcome.result;
    }
  } catch (const cancelled&) {
    result.outcome = attempt_outcome::cancelled;
  } catch (...) {
    result = {attempt_outcome::failed, failure::from(std::current_exception())};
  }
  if (auto unread = link.unread_step(); unread && result.outcome == attempt_outcome::failed) {
    result = {attempt_outcome::refused, std::move(unread)};
  }
  result.again = link.wanted();
  return left(key, std::move(result));
}

/// It may not be cancelled any more.
attempt_result worker::state::left(const claim_key& key, attempt_result result) {
  const std::lock_guard lock(mutex_);
  result.cancel_requested = running_.at(key).cancel_requested;
  running_.erase(key);
  return result;
}

bool worker::state::conclude(attempt_end end) {
  end.owner = id_;
  end.durable = options_.durable_ends;
  // Also a cancelled attempt is concluded.
  return shield([&] {
    auto held = try_conclude(end);
    for (; !held && !stopping_; held = try_conclude(end)) sleep_for(pause_until_next_try);
    return held.value_or(false);
  });
}

/// Is it stored? None: that is to be tried again.
std::optional<bool> worker::state::try_conclude(const attempt_end& end) {
  try {
    fault_point("weft.jobs.finish");
    const bool held = queue_.kept_in().finish(end);
    count(end, held);
    if (held) return true;
    log::warn("jobs: a result was discarded: another worker holds the job by now",
              {{"job", to_string(end.id)}, {"claim", end.fence}});
    return false;
  } catch (const error& failed) {
    if (!end.pushes.empty() && is_refused_push(failed.code())) throw;
    // Not stored in the end, the job is ready again when the worker leaves.
    log::error("jobs: the end of an attempt cannot be stored",
               {{"job", to_string(end.id)}, {"error", failed.what()}});
    return is_retryable(failed.code()) ? std::nullopt : std::optional(false);
  }
}

void worker::state::count(const attempt_end& end, bool held) {
  const std::lock_guard lock(mutex_);
  if (!held) {
    ++figures_.stale;
    return;
  }
  if (end.next == next_step::released) return;
  switch (end.record.outcome) {
    case attempt_outcome::done:
      ++figures_.done;
      break;
    case attempt_outcome::failed:
      ++figures_.failed;
      break;
    case attempt_outcome::crashed:
      ++figures_.crashed;
      break;
    case attempt_outcome::delayed:
      ++figures_.delayed;
      break;
    case attempt_outcome::refused:
      ++figures_.refused;
      break;
    default:
      break;
  }
  if (end.next == next_step::dead) ++figures_.dead;
  if (end.next == next_step::cancelled && end.record.outcome == attempt_outcome::failed) ++figures_.dropped;
  if (end.next == next_step::quarantined) ++figures_.quarantined;
}

double worker::state::random_of(const claimed_job& claimed) const {
  return jitter_of(queue_.jitter_seed(), claimed.id, claimed.fence);
}

}  // namespace weft::inline v1::jobs
