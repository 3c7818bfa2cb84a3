#pragma once

#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/maintenance.hpp>

namespace weft::inline v1::cli {

/// `weft db`: the database of jobs as a whole.
struct db_options {
  std::string store;  ///< its URL
  std::string to;     ///< backup: the new file; copy: its URL
  std::string role;   ///< grant
  std::string rights;
  std::string from;  ///< copy: URLs
  bool workers_are_dead = false;
  bool dry_run = false;
  bool as_json = false;
};

/// What `weft db check --json` prints.
struct check_report {
  int schema = 1;
  jobs::database_report database;
};
WEFT_DESCRIBE(check_report, schema, database);

/// What `weft db migrate --json` prints.
struct migration_report {
  int schema = 1;
  int from = 0;
  int to = 0;
  int compatible_from = 0;
  bool dry_run = false;
  std::vector<jobs::migration_step> steps = {};
};
WEFT_DESCRIBE(migration_report, schema, from, to, compatible_from, dry_run, steps);

/// What `weft db copy --json` prints.
struct copied_report {
  int schema = 1;
  jobs::copy_report copied;
};
WEFT_DESCRIBE(copied_report, schema, copied);

// Each gives the exit status: 0; 1 where something is wrong or it could not be done; 2 where the URL is that
// of no database. None makes a database.

int run_db_check(const db_options& options);
int run_db_migrate(const db_options& options);
int run_db_backup(const db_options& options);
int run_db_grant(const db_options& options);
int run_db_copy(const db_options& options);

}  // namespace weft::inline v1::cli
