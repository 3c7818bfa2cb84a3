#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <weft/jobs/job.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::jobs {

/// What a job returned, as it is kept: JSON, signed with the job's id, since programs act on it. Nothing
/// for a function without a result, and for one that is too large, which is logged: the work is done.
std::optional<std::string> result_to_store(const wire::key_ring& keys, job_id id, std::string_view json);

/// The JSON of a kept result. Throws weft::error as wire::verify does, and bad_signature for another job's.
std::string read_result(const wire::key_ring& keys, job_id id, std::string_view kept);

}  // namespace weft::inline v1::jobs
