#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>

// For the database of `sqlite:` stores, by its path: what `weft db` does. None of it makes a database. Each
// throws weft::error as open_store with store_options::prepare false, and blocks its thread; any thread, also
// while others work with the database.

namespace weft::jobs {

/// What check_database found.
struct database_report {
  std::string path;
  int schema_version = 0;  ///< of its tables
  int schema_known = 0;    ///< the newest that this build knows
  std::int64_t jobs = 0;
  std::int64_t workers = 0;
  std::vector<std::string> problems;  ///< a sentence each, at most a hundred; none: all is well
};
WEFT_DESCRIBE(database_report, path, schema_version, schema_known, jobs, workers, problems);

/// Reads the whole file, in one snapshot: is it what SQLite and weft left there? A job is in exactly one
/// state; what names a job, a queue, a closure or a worker names one that is there; what is counted or marked
/// beside the jobs is so. Older tables are only checked by SQLite, and are a problem. Changes nothing. Throws
/// corrupt where it is no database.
database_report check_database(const std::string& path);

/// The versions of a migration: equal where there is nothing to do.
struct migration {
  int from = 0;
  int to = 0;
};

/// What migrate_database would do.
migration plan_migration(const std::string& path);
/// Brings the tables up to what this build knows. Builds that know less then refuse the database.
migration migrate_database(const std::string& path);

/// Writes the database as it is now to a new file, without stopping anybody; it is on disk when this returns.
/// Throws weft::error (already_exists) where there is a file. What a process that was killed left of it is
/// named `to`.partial, and may be deleted.
void backup_database(const std::string& path, const std::string& to);

}  // namespace weft::jobs
