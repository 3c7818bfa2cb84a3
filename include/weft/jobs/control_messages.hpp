#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <weft/codec/codec.hpp>
#include <weft/codec/failure.hpp>
#include <weft/jobs/job.hpp>
#include <weft/jobs/job_info.hpp>

// What a jobs::control and who runs its function tell each other over a run_link, as JSON: for places of
// your own where jobs run, and for tests.

namespace weft::jobs {

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
  again,       ///< another attempt, in `wait`; the answer is true
  still_mine,  ///< the answer is a bool
  progress,    ///< `progress` is to be shown; the answer is true
  step,        ///< what `step` left; the answer is its JSON as a text, or null
  keep_step,   ///< `step` left `value`, JSON; the answer is false where another worker holds the job
  last_error,  ///< the answer is the failure that the attempt before ended with, or null
};
WEFT_DESCRIBE_ENUM(control_question, again, still_mine, progress, step, keep_step, last_error);

struct control_message {
  control_question what = control_question::again;
  std::chrono::microseconds wait{0};
  bool backs_off = false;
  std::optional<job_progress> progress = {};
  std::string step = {};
  std::string value = {};
  std::optional<failure> error = {};  ///< for `again`: why
};
WEFT_DESCRIBE(control_message, what, wait, backs_off, progress, step, value, error);
WEFT_MISSING_IS_DEFAULT(control_message);  // of an older process that runs the attempt

/// What a worker refuses to keep of a step: throws weft::error, invalid_argument for the name, too_large for
/// what it left. steps_max (store.hpp) is the store's to hold.
void check_step(job_id id, std::string_view name, std::string_view json);
/// What a store throws where a job has steps_max of them: weft::error, resource_exhausted.
[[noreturn]] void throw_too_many_steps(job_id id);

}  // namespace weft::jobs
