#pragma once

#include <string>

#include <weft/core/failure.hpp>
#include <weft/jobs/job_info.hpp>
#include <weft/jobs/store.hpp>

// The bytes that a store keeps of an attempt's error and log: their binary form (docs/formats/codec.md).

namespace weft::inline v1::jobs {

/// Never throws for the sake of a log: what cannot be written becomes a log with one record that says so.
std::string log_to_store(const log::collection& gathered);
std::string error_to_store(const failure& what);

/// Of a job that was not begun in time.
stored_attempt expired_attempt(job_id id, int attempt, moment now);

attempt_info read_attempt(const stored_attempt& kept);

}  // namespace weft::inline v1::jobs
