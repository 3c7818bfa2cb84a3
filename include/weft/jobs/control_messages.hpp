#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/codec/codec.hpp>
#include <weft/codec/failure.hpp>
#include <weft/jobs/job.hpp>
#include <weft/jobs/job_info.hpp>

// What a jobs::control and who runs its function tell each other over a run_link, as JSON: for places of
// your own where jobs run, and for tests.

namespace weft::inline v1::jobs {

WEFT_DESCRIBE_ENUM(job_trace, linked, child);
WEFT_DESCRIBE_ENUM(unique_until, ended, claimed);
WEFT_DESCRIBE(unique_options, key, until, period);
WEFT_DESCRIBE(rate_options, count, period, burst);
WEFT_DESCRIBE(limit_options, key, max, rate);
WEFT_DESCRIBE(push_options, delay, at, queue, priority, max_attempts, timeout, expires, trace, unique, tags,
              limit, after, after_end);
WEFT_MISSING_IS_DEFAULT(push_options);

inline constexpr std::string_view control_object = "weft.jobs.control";

/// About a run.
struct control_about {
  job_id id{};
  int attempt = 1;
  int backoffs = 0;
  moment due{};
  bool in_line = false;
  double random = 0;  ///< 0 to 1, for the jitter of this run
};
WEFT_DESCRIBE(control_about, id, attempt, backoffs, due, in_line, random);
WEFT_MISSING_IS_DEFAULT(control_about);  // of an older worker

enum class control_question : unsigned char {
  again,       ///< another attempt, in `wait`; the answer is false where that is past `age_max`
  still_mine,  ///< the answer is a bool
  progress,    ///< `progress` is to be shown; the answer is true
  step,        ///< what `step` left; the answer is its JSON as a text, or null
  keep_step,   ///< `step` left `value`, JSON; the answer is false where another worker holds the job
  last_error,  ///< the answer is the failure that the attempt before ended with, or null
  push,        ///< `push` is to be pushed with the end of the attempt; the answer is true
};
WEFT_DESCRIBE_ENUM(control_question, again, still_mine, progress, step, keep_step, last_error, push);

/// Jobs that one attempt may push with its end.
inline constexpr std::size_t pushes_max = 1000;

/// A secret among the arguments, in clear: it stays within the machine, as arguments of worker calls do.
struct control_secret {
  std::uint64_t place = 0;
  std::string json = {};
};
WEFT_DESCRIBE(control_secret, place, json);

/// A job that is to be pushed with the end of the attempt.
struct control_push {
  std::string closure = {};    ///< its identity
  std::string arguments = {};  ///< a JSON list, with "(secret)" in place of each secret
  std::string source = {};
  std::vector<control_secret> secrets = {};
  std::string context = {};  ///< context::to_wire
  push_options options = {};
};
WEFT_DESCRIBE(control_push, closure, arguments, source, secrets, context, options);

struct control_message {
  control_question what = control_question::again;
  std::chrono::microseconds wait{0};
  bool backs_off = false;
  std::optional<job_progress> progress = {};
  std::string step = {};
  std::string value = {};
  std::optional<failure> error = {};  ///< for `again`: why
  std::optional<control_push> push = {};
  std::optional<std::chrono::microseconds> age_max = {};  ///< for `again`
};
WEFT_DESCRIBE(control_message, what, wait, backs_off, progress, step, value, error, push, age_max);
WEFT_MISSING_IS_DEFAULT(control_message);  // of an older process that runs the attempt

/// What a worker refuses to keep of a step: throws weft::error, invalid_argument for the name, too_large for
/// what it left. steps_max (store.hpp) is the store's to hold.
void check_step(job_id id, std::string_view name, std::string_view json);
/// What a store throws where a job has steps_max of them: weft::error, resource_exhausted.
[[noreturn]] void throw_too_many_steps(job_id id);

}  // namespace weft::inline v1::jobs
