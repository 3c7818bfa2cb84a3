#pragma once

#include <weft/jobs/store.hpp>

#include "jobs/postgres/link/result.hpp"

namespace weft::inline v1::jobs::postgres {

/// Columns of a job `j`, with what job_joins adds, as read_job() reads them; a text more is the name of its
/// limit.
extern const char* const job_columns;
extern const char* const job_joins;

stored_job read_job(const result& rows, std::size_t row);
inline constexpr std::size_t job_column_count = 15;

}  // namespace weft::inline v1::jobs::postgres
