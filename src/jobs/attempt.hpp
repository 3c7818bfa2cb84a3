#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <variant>

#include <weft/core/failure.hpp>
#include <weft/jobs/control_messages.hpp>
#include <weft/jobs/retry.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/job_envelope.hpp"
#include "jobs/unsigned_job.hpp"

namespace weft::inline v1::jobs {

/// Another attempt, asked for by the function.
struct wish {
  std::chrono::microseconds wait{0};
  bool backs_off = false;
  std::optional<failure> error = {};  ///< why, where the function said it
};

/// Would the attempt that is asked for begin past the limit on the job's age?
bool is_too_late(const control_message& asked, moment due, moment now) noexcept;

/// How the function of an attempt ended.
struct attempt_result {
  attempt_outcome outcome = attempt_outcome::done;
  std::optional<failure> error = {};      ///< for failed, crashed and refused
  std::optional<wish> again = {};         ///< what the function asked for
  std::optional<std::string> value = {};  ///< what it returned, as JSON
  bool cancel_requested =
      false;  ///< cancelled by somebody who wants the job to end, not by a stopping worker
};

/// What a queue opens its jobs with.
struct job_keys {
  const wire::key_ring& keys;
  const wire::key_ring* secret_keys;  ///< null: none
  std::string_view tenant;
  const unsigned_closures& unsigned_jobs;
};

/// Is it of what was read, rather than of this program: a key that it lacks, a form that it does not know
/// yet, a library that fails?
bool is_fault_of_the_row(errc code) noexcept;

/// What a claimed row holds: a job to run, its secrets in clear, or what to do with it instead.
std::variant<job_envelope, attempt_end> open_claimed(const claimed_job& claimed, const job_keys& with,
                                                     moment now);

/// Gives the claim back as if it had not been.
attempt_end released(const claimed_job& claimed, moment now);

/// What a job is allowed before it is given up.
struct attempt_rules {
  const retry_policy& retry;
  int crashes_max = 3;
  bool drops_failed = false;
};

/// What becomes of the job after that result. `random` is 0 to 1.
attempt_end decide(const claimed_job& claimed, const job_envelope& job, const attempt_result& result,
                   const attempt_rules& rules, moment now, double random);

}  // namespace weft::inline v1::jobs
