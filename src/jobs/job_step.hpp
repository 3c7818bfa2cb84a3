#pragma once

#include <string>
#include <string_view>

#include <weft/jobs/control_messages.hpp>
#include <weft/jobs/job.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::jobs {

/// The result of a step (control::checkpoint) as it is kept: JSON, signed with the job's id and the step's
/// name, since later attempts act on it. Throws as check_step.
std::string step_to_store(const wire::key_ring& keys, job_id id, std::string_view name,
                          std::string_view json);

/// The JSON of a kept step. Throws weft::error as wire::verify does, and bad_signature for that of another
/// job or name.
std::string read_step(const wire::key_ring& keys, job_id id, std::string_view name, std::string_view kept);

/// A step as it is kept, with the name that was signed.
struct named_step {
  std::string name;
  std::string json;
};
/// The same of a step whose name is not known.
named_step read_named_step(const wire::key_ring& keys, job_id id, std::string_view kept);

}  // namespace weft::inline v1::jobs
