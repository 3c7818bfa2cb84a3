#pragma once

#include <chrono>

#include <weft/jobs/maintenance.hpp>

#include "jobs/postgres/link/connection.hpp"

namespace weft::inline v1::jobs::postgres {

/// The newest version of the schema that this build knows.
int schema_version() noexcept;
/// That of the database; 0: it has none.
int stored_version(connection& in);

/// Makes the schema `weft`, or brings it up to date: all steps in one transaction, one process at a time.
/// Where a transaction of others has a table locked it tries again, in vain for `patience`, and holds nobody
/// up meanwhile. Throws weft::error: unsupported for a schema that is newer and does not say that this build
/// may use it; busy for such a lock, with who has it.
void migrate(connection& in, std::chrono::milliseconds patience = std::chrono::seconds(30));
/// What migrate() would do.
jobs::migration planned(connection& in);
/// Throws weft::error unless this build may use what is there: not_found where there is no schema,
/// unsupported for an older or newer one.
void expect_current(connection& in);

}  // namespace weft::inline v1::jobs::postgres
