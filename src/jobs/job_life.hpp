#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <weft/jobs/batch.hpp>
#include <weft/jobs/job.hpp>

// The life of a job, in one place: what can happen to it in which state, and where it is then. Every
// store moves its jobs by state_after(), so it cannot do anything else. docs/architecture.md shows this
// table, and a test compares the two.

namespace weft::inline v1::jobs {

struct attempt_end;

/// What can happen to a job.
enum class job_event : unsigned char {
  pushed,           ///< for at once
  pushed_ahead,     ///< for a later moment
  pushed_behind,    ///< jobs that must end first
  fell_due,         ///< its moment has come
  held_back,        ///< its limit is reached
  unblocked,        ///< what it waited for has come
  unblocked_ahead,  ///< the same, but its moment has not
  claimed,          ///< a worker took it
  succeeded,        ///< its attempt did what it should
  asked_again,      ///< its attempt wants or needs another one at once
  postponed,        ///< the same at a later moment
  failed,           ///< its last attempt failed
  gave_up,          ///< its attempt gave up, as it was asked to
  refused,          ///< its signature does not fit
  released,         ///< its worker stopped before the attempt was begun, or over
  lost,             ///< its worker died; where it was a process of the worker's, asked_again or postponed
  lost_too_often,   ///< the same, as often as is allowed
  cancelled,        ///< on request, before it was claimed
  expired,          ///< its moment to begin is over
  retried,          ///< on request
  purged,           ///< its retention is over
  deleted,          ///< on request; one that waits is cancelled first
};

/// The states that an event finds a job in, as bits.
class job_states {
 public:
  template <typename... States>
  explicit constexpr job_states(States... each) noexcept : bits_((bit(each) | ... | 0U)) {}
  constexpr bool contains(job_state one) const noexcept { return (bits_ & bit(one)) != 0; }

 private:
  static constexpr unsigned bit(job_state one) noexcept { return 1U << static_cast<unsigned>(one); }
  unsigned bits_;
};

struct job_rule {
  job_event what;
  std::string_view name;
  job_states from;              ///< none: the job comes into being
  std::optional<job_state> to;  ///< none: it is no more
};

/// In the order of job_event.
inline constexpr std::array job_rules{
    job_rule{job_event::pushed, "pushed", job_states(), job_state::ready},
    job_rule{job_event::pushed_ahead, "pushed ahead", job_states(), job_state::scheduled},
    job_rule{job_event::pushed_behind, "pushed behind", job_states(), job_state::blocked},
    job_rule{job_event::fell_due, "fell due", job_states(job_state::scheduled), job_state::ready},
    job_rule{job_event::held_back, "held back", job_states(job_state::ready), job_state::blocked},
    job_rule{job_event::unblocked, "unblocked", job_states(job_state::blocked), job_state::ready},
    job_rule{job_event::unblocked_ahead, "unblocked ahead", job_states(job_state::blocked),
             job_state::scheduled},
    job_rule{job_event::claimed, "claimed", job_states(job_state::ready), job_state::running},
    job_rule{job_event::succeeded, "succeeded", job_states(job_state::running), job_state::done},
    job_rule{job_event::asked_again, "asked again", job_states(job_state::running), job_state::ready},
    job_rule{job_event::postponed, "postponed", job_states(job_state::running), job_state::scheduled},
    job_rule{job_event::failed, "failed", job_states(job_state::running), job_state::dead},
    job_rule{job_event::gave_up, "gave up", job_states(job_state::running), job_state::cancelled},
    job_rule{job_event::refused, "refused", job_states(job_state::running), job_state::quarantined},
    job_rule{job_event::released, "released", job_states(job_state::running), job_state::ready},
    job_rule{job_event::lost, "lost", job_states(job_state::running), job_state::ready},
    job_rule{job_event::lost_too_often, "lost too often", job_states(job_state::running),
             job_state::quarantined},
    job_rule{job_event::cancelled, "cancelled",
             job_states(job_state::scheduled, job_state::ready, job_state::blocked), job_state::cancelled},
    job_rule{job_event::expired, "expired",
             job_states(job_state::scheduled, job_state::ready, job_state::blocked), job_state::dead},
    job_rule{job_event::retried, "retried",
             job_states(job_state::dead, job_state::cancelled, job_state::quarantined), job_state::ready},
    job_rule{job_event::purged, "purged", job_states(job_state::done, job_state::dead, job_state::cancelled),
             std::nullopt},
    job_rule{job_event::deleted, "deleted",
             job_states(job_state::done, job_state::dead, job_state::cancelled, job_state::quarantined),
             std::nullopt},
};

constexpr const job_rule& rule_of(job_event what) noexcept {
  return job_rules[static_cast<std::size_t>(what)];
}

/// Can that happen to a job in that state?
constexpr bool can(job_state from, job_event what) noexcept { return rule_of(what).from.contains(from); }

/// Where a job begins.
job_state state_after(job_event what);
/// Where a job is after that. Throws weft::error (internal) where the table has no such step: a store is
/// at fault, and its transaction is undone.
job_state state_after(job_state from, job_event what);

/// What the end of an attempt is for its job. One that somebody wants to end does not wait again.
job_event event_of(const attempt_end& end, bool cancel_requested);
/// Does it spend one of the job's attempts?
bool spends_attempt(const attempt_end& end) noexcept;
/// What the death of its worker is for a job that has seen so many by now.
job_event event_of_loss(std::int64_t crashes, int crashes_max, bool cancel_requested) noexcept;

/// The number of jobs in that state.
std::int64_t& count_of(state_counts& counts, job_state state) noexcept;

/// What a store throws where a job is to end before one that waits for no other.
[[noreturn]] void throw_waits_no_more(job_id id);

/// What a store throws where a job is to be retried whose moment to begin is over: the next claim would only
/// give it up again.
[[noreturn]] void throw_retried_too_late(job_id id);

/// The oldest claim number whose attempt is kept, once a job has come to that one: an attempt older than
/// `attempts_kept_max` claims is forgotten, so that a job that is retried for ever does not grow.
std::int64_t oldest_kept_fence(std::int64_t fence) noexcept;

/// Throws weft::error (not_found): the store has no worker of that id (any more).
[[noreturn]] void refuse_unknown_worker(std::string_view what, worker_id owner);

/// It waits to be claimed.
constexpr bool is_waiting(job_state state) noexcept { return can(state, job_event::cancelled); }
/// Nothing more happens to it by itself.
constexpr bool is_ended(job_state state) noexcept {
  return state == job_state::done || can(state, job_event::retried);
}

}  // namespace weft::inline v1::jobs
