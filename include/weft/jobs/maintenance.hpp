#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>

// For the database of a store, by its URL as open_store takes it: what `weft db` does. None of it makes a
// database. Each throws weft::error as open_store with store_options::prepare false (unsupported for
// memory:), and blocks its thread; any thread, also while others work with the database.

namespace weft::inline v1::jobs {

/// What a database is, at a glance.
struct database_facts {
  std::string path;        ///< of the file; of a server's database: user, host and name
  std::string software;    ///< "SQLite 3.40.1", "PostgreSQL 15.18 (Debian 15.18-0+deb12u1)"
  int schema_version = 0;  ///< of its tables; 0: there are none of weft
  int schema_known = 0;    ///< what this build would make of them (migrate_database)
  /// How far the server's clock is ahead of this machine's, to about half the time that a question takes;
  /// none for a file.
  std::optional<std::chrono::microseconds> clock_ahead = {};
};

/// A few questions to the database, whatever its size.
database_facts look_at_database(const std::string& url);

/// What check_database found.
struct database_report {
  std::string path;        ///< of the file; of a server's database: user, host and name
  int schema_version = 0;  ///< of its tables
  int schema_known = 0;    ///< the newest that this build knows
  std::int64_t jobs = 0;
  std::int64_t workers = 0;
  std::vector<std::string> problems;  ///< a sentence each, at most a hundred; none: all is well
};
WEFT_DESCRIBE(database_report, path, schema_version, schema_known, jobs, workers, problems);

/// Reads all of it, in one snapshot: is it what weft left there? A file is checked by SQLite, too. A job is
/// in exactly one state; what names a job, a queue, a closure or a worker names one that is there; what is
/// counted or marked beside the jobs is so. Older tables of SQLite are a problem, and are looked at no
/// further. Changes nothing. Throws corrupt where a file is no database.
database_report check_database(const std::string& url);

/// From a version of the schema to the next one: one transaction.
struct migration_step {
  int version = 0;  ///< that it leads to
  std::string sql;
};
WEFT_DESCRIBE(migration_step, version, sql);

/// The versions of a migration: equal where there is nothing to do.
struct migration {
  int from = 0;  ///< 0: PostgreSQL has no schema of weft yet
  int to = 0;
  std::vector<migration_step> steps = {};
  int compatible_from = 0;  ///< builds that know this version may use the database as well, then
};

/// What migrate_database would do.
migration plan_migration(const std::string& url);
/// Brings the tables up to what this build knows; in PostgreSQL also where there are none, and as the owner
/// of the schema, where there is one (refused for who may not act as he). Builds that know less than
/// `compatible_from` then refuse the database.
migration migrate_database(const std::string& url);

/// Writes the database as it is now to a new file, without stopping anybody; it is on disk when this returns.
/// Throws weft::error (already_exists) where there is a file. What a process that was killed left of it is
/// named `to`.partial, and may be deleted. Of SQLite only: unsupported.
void backup_database(const std::string& url, const std::string& to);

/// What a role of PostgreSQL may do from now on: "pusher", "worker", "reader" or "none" (docs/postgres.md).
/// As the owner of the schema. Throws unsupported for SQLite, not_found where there is no such role,
/// invalid_argument, refused.
void grant_rights(const std::string& url, const std::string& role, const std::string& rights);

struct copy_options {
  /// The workers that the source names have died: what they held goes back when a worker of the target finds
  /// that they are silent. They must not come back.
  bool workers_are_dead = false;
};

/// What copy_database copied.
struct copy_report {
  std::string from;
  std::string to;
  std::int64_t jobs = 0;
  std::int64_t schedules = 0;
  std::int64_t workers = 0;
};
WEFT_DESCRIBE(copy_report, from, to, jobs, schedules, workers);

/// Copies all that a store keeps to another one, of any kind, by their URLs: jobs in all states with
/// attempts, tags, steps, results, progress, unique keys, limits and what they wait for; schedules; paused
/// queues. The tables of the target are made where there are none; it must have no jobs. One transaction,
/// verified before its end: what was broken off has left nothing, and is begun again. Others wait meanwhile,
/// or get errors (busy): the source stays as it is, so stop who pushes, and have all open the target from
/// then on. In PostgreSQL as the owner of the schema. Throws weft::error too: refused (workers use the
/// source), already_exists (the target has jobs).
copy_report copy_database(const std::string& from, const std::string& to, const copy_options& options = {});

}  // namespace weft::inline v1::jobs
