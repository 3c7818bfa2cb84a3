#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/job_envelope.hpp"

// Jobs of programs that have no key, such as those in other languages that share the database. Their stored
// bytes are JSON: docs/formats/job.md, "Jobs without a signature".

namespace weft::inline v1::jobs {

/// Names of closures that jobs without a signature may run, by queue.
using unsigned_closures = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Attempts of a job that does not say it.
inline constexpr int unsigned_attempts_max = 10;

/// Are these the stored bytes of such a job? No signed envelope begins as they do.
bool is_unsigned(std::string_view stored) noexcept;

/// What such a job says, with what its row says. Throws weft::error: malformed; unsupported for a later
/// version.
job_envelope read_unsigned(const stored_job& row);
job_envelope read_unsigned(const claimed_job& row);

/// Throws weft::error (refused) unless the closure may run so.
void check_allowed(const claimed_job& row, const unsigned_closures& allowed);

}  // namespace weft::inline v1::jobs
