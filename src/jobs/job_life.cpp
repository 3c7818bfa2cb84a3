#include "jobs/job_life.hpp"

#include <string>

#include <weft/core/error.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr bool is_in_order() {
  for (std::size_t index = 0; index < job_rules.size(); ++index) {
    if (static_cast<std::size_t>(job_rules[index].what) != index) return false;
  }
  return true;
}
static_assert(is_in_order());

[[noreturn]] void refuse(std::string_view from, const job_rule& rule) {
  throw error(errc::internal,
              "jobs: move a job: one that is " + std::string(from) + " cannot be " + std::string(rule.name));
}

}  // namespace

job_state state_after(job_event what) {
  const job_rule& rule = rule_of(what);
  if (what > job_event::pushed_behind) refuse("new", rule);
  return *rule.to;
}

job_state state_after(job_state from, job_event what) {
  const job_rule& rule = rule_of(what);
  if (!rule.from.contains(from) || !rule.to) refuse(to_string(from), rule);
  return *rule.to;
}

job_event event_of(const attempt_end& end, bool cancel_requested) {
  switch (end.next) {
    case next_step::done:
      return job_event::succeeded;
    case next_step::again:
      if (cancel_requested) return job_event::gave_up;
      return end.run_at > end.now ? job_event::postponed : job_event::asked_again;
    case next_step::dead:
      return job_event::failed;
    case next_step::cancelled:
      return job_event::gave_up;
    case next_step::quarantined:
      return end.crashed ? job_event::lost_too_often : job_event::refused;
    case next_step::released:
      return cancel_requested ? job_event::gave_up : job_event::released;
  }
  throw error(errc::invalid_argument, "jobs: end an attempt: the next step is unknown");
}

bool spends_attempt(const attempt_end& end) noexcept {
  return end.counts && (end.next == next_step::again || end.next == next_step::dead);
}

job_event event_of_loss(std::int64_t crashes, int crashes_max, bool cancel_requested) noexcept {
  if (crashes >= crashes_max) return job_event::lost_too_often;
  return cancel_requested ? job_event::gave_up : job_event::lost;
}

std::int64_t& count_of(state_counts& counts, job_state state) noexcept {
  switch (state) {
    case job_state::scheduled:
      return counts.scheduled;
    case job_state::ready:
      return counts.ready;
    case job_state::running:
      return counts.running;
    case job_state::done:
      return counts.done;
    case job_state::dead:
      return counts.dead;
    case job_state::cancelled:
      return counts.cancelled;
    case job_state::quarantined:
      return counts.quarantined;
    case job_state::blocked:
      break;
  }
  return counts.blocked;
}

void throw_waits_no_more(job_id id) {
  throw error(errc::refused, "jobs: push a job before job " + to_string(id) +
                                 ": that is not there, or waits for no other any more");
}

void throw_retried_too_late(job_id id) {
  throw error(errc::refused, "jobs: retry job " + to_string(id) +
                                 ": it has expired, and would only expire again; push a new one");
}

std::int64_t oldest_kept_fence(std::int64_t fence) noexcept { return fence - attempts_kept_max + 1; }

void refuse_unknown_worker(std::string_view what, worker_id owner) {
  throw error(errc::not_found, "jobs: " + std::string(what) + " for worker " + to_string(owner) +
                                   ": it is not there; if it was, it was taken for dead, and its jobs were "
                                   "given to others");
}

}  // namespace weft::inline v1::jobs
