#pragma once

#include <optional>

#include <weft/jobs/job.hpp>

namespace weft::inline v1::jobs {

/// What queue::run_or_push came to: its function ran to the end, or its job waits for a worker.
template <typename Result>
struct ran_or_pushed {
  std::optional<Result> result;  ///< there where nothing was pushed
  std::optional<job_id> pushed;
};

template <>
struct ran_or_pushed<void> {
  std::optional<job_id> pushed;
};

/// What queue::run_or_push does with an error of the function.
enum class in_line_error : unsigned char {
  thrown,  ///< the caller gets it, and nothing is pushed
  pushed,  ///< it is logged, and the job is tried again in a second, with all its attempts
};

}  // namespace weft::inline v1::jobs
