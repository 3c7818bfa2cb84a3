#include "jobs/attempt.hpp"

#include <algorithm>

#include <weft/core/failure.hpp>
#include <weft/log/log.hpp>

#include "jobs/job_secrets.hpp"
#include "jobs/kept_attempt.hpp"
#include "jobs/longest_wait.hpp"

namespace weft::inline v1::jobs {
namespace {

constexpr std::chrono::minutes pause_when_refused{1};

/// Did the function itself find that no other attempt is of use?
bool has_given_up(const failure& what) {
  return what.type == "weft.jobs.retries_exceeded" || what.type == "weft.jobs.job_too_old";
}

attempt_end end_of(const claimed_job& claimed, next_step next, attempt_outcome outcome, moment now) {
  attempt_end end;
  end.id = claimed.id;
  end.fence = claimed.fence;
  end.next = next;
  end.now = now;
  end.run_at = now;
  end.record.attempt = claimed.attempts + 1;
  end.record.outcome = outcome;
  end.record.started = now;
  end.record.ended = now;
  return end;
}

/// Not run, and it does not count.
attempt_end postponed(const claimed_job& claimed, const failure& why, moment now) {
  attempt_end end = end_of(claimed, next_step::again, attempt_outcome::refused, now);
  end.run_at = now + pause_when_refused;
  end.counts = false;
  end.record.error = error_to_store(why);
  log::error("jobs: a job cannot be run here now; it is kept",
             {{"job", to_string(claimed.id)}, {"error", why.message}});
  return end;
}

attempt_end quarantined(const claimed_job& claimed, const failure& why, moment now) {
  attempt_end end = end_of(claimed, next_step::quarantined, attempt_outcome::refused, now);
  end.record.error = error_to_store(why);
  log::critical("jobs: a job was quarantined: it is not what was pushed",
                {{"job", to_string(claimed.id)}, {"queue", claimed.queue}, {"error", why.message}});
  return end;
}

attempt_end expired(const claimed_job& claimed, moment now) {
  attempt_end end = end_of(claimed, next_step::dead, attempt_outcome::refused, now);
  end.counts = false;
  end.record = expired_attempt(claimed.id, end.record.attempt, now);
  return end;
}

attempt_end failed(const claimed_job& claimed, const job_envelope& job, const attempt_result& result,
                   const attempt_rules& rules, moment now, double random) {
  const retry_policy& retry = rules.retry;
  attempt_end end = end_of(claimed, next_step::again, attempt_outcome::failed, now);
  const failure what = result.error.value_or(failure{});
  end.record.error = error_to_store(what);
  const int failures = claimed.attempts + 1;
  const bool all_are_spent = !retry.for_ever && failures >= std::max(job.attempts_max, 1);
  const bool is_last = all_are_spent || has_given_up(what) || (retry.retry_if && !retry.retry_if(what));
  if (rules.drops_failed) {
    end.next = next_step::cancelled;
  } else if (is_last) {
    end.next = next_step::dead;
  } else {
    end.run_at = now + retry.wait_after(failures, random);
  }
  return end;
}

/// Spends no attempt, as a rescue does not; but it waits, as the next process may die, too.
attempt_end crashed(const claimed_job& claimed, const attempt_result& result, const attempt_rules& rules,
                    moment now, double random) {
  const int crashes = claimed.crashes + 1;
  const bool too_often = crashes >= rules.crashes_max;
  attempt_end end =
      end_of(claimed, too_often ? next_step::quarantined : next_step::again, attempt_outcome::crashed, now);
  end.counts = false;
  end.crashed = true;
  end.record.error = error_to_store(result.error.value_or(failure{}));
  if (!too_often) end.run_at = now + rules.retry.wait_after(crashes, random);
  return end;
}

}  // namespace

bool is_too_late(const control_message& asked, moment due, moment now) noexcept {
  return asked.age_max && now + bounded_wait(asked.wait) > due + bounded_wait(*asked.age_max);
}

bool is_fault_of_the_row(errc code) noexcept {
  return code == errc::bad_signature || code == errc::malformed || code == errc::too_large ||
         code == errc::refused;
}

std::variant<job_envelope, attempt_end> open_claimed(const claimed_job& claimed, const job_keys& with,
                                                     moment now) {
  try {
    if (is_unsigned(claimed.envelope)) {
      check_allowed(claimed, with.unsigned_jobs);
      return read_unsigned(claimed);
    }
    job_envelope job = unseal(with.keys, claimed.envelope);
    check_row(job, claimed.id, claimed.queue, claimed.handler);
    check_tenant(job, with.tenant);
    if (job.expires && *job.expires < now) return expired(claimed, now);
    if (job.not_before <= now) {
      reveal_secrets(job, with.secret_keys);
      return job;
    }
    // Its row says an earlier moment than was signed.
    attempt_end early = end_of(claimed, next_step::again, attempt_outcome::delayed, now);
    early.counts = false;
    early.run_at = job.not_before;
    return early;
  } catch (const error& bad) {
    const failure why = failure::from(std::current_exception());
    return is_fault_of_the_row(bad.code()) ? quarantined(claimed, why, now) : postponed(claimed, why, now);
  }
}

attempt_end released(const claimed_job& claimed, moment now) {
  return end_of(claimed, next_step::released, attempt_outcome::done, now);
}

attempt_end decide(const claimed_job& claimed, const job_envelope& job, const attempt_result& result,
                   const attempt_rules& rules, moment now, double random) {
  switch (result.outcome) {
    case attempt_outcome::failed:
      return failed(claimed, job, result, rules, now, random);
    case attempt_outcome::crashed:
      return crashed(claimed, result, rules, now, random);
    case attempt_outcome::cancelled: {
      const auto next = result.cancel_requested ? next_step::cancelled : next_step::again;
      attempt_end end = end_of(claimed, next, attempt_outcome::cancelled, now);
      end.counts = false;
      return end;
    }
    case attempt_outcome::refused:
      return postponed(claimed, result.error.value_or(failure{}), now);
    default:
      break;
  }
  if (!result.again) return end_of(claimed, next_step::done, attempt_outcome::done, now);
  attempt_end end = end_of(claimed, next_step::again, attempt_outcome::delayed, now);
  end.run_at = now + result.again->wait;
  end.counts = false;
  end.backs_off = result.again->backs_off;
  if (result.again->error) end.record.error = error_to_store(*result.again->error);
  return end;
}

}  // namespace weft::inline v1::jobs
