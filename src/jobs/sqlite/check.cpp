#include <array>
#include <string>

#include <weft/core/error.hpp>

#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/maintenance.hpp"
#include "jobs/sqlite/schema.hpp"
#include "jobs/table_rules.hpp"

namespace weft::inline v1::jobs::sqlite {
namespace {

/// The id and the flags of each job that a table has flags of.
#define WEFT_FLAGGED                                                                                       \
  "(SELECT id, flags FROM weft_ready UNION ALL SELECT id, flags FROM weft_scheduled UNION ALL SELECT id, " \
  "flags FROM weft_running UNION ALL SELECT id, flags FROM weft_blocked UNION ALL SELECT id, flags FROM "  \
  "weft_dead)"

/// Besides those of every kind of database.
constexpr std::array own_rules{
    table_rule{"has a result and is not done",
               "SELECT job FROM weft_result WHERE job NOT IN (SELECT id FROM weft_done)"},
    table_rule{"does not know that others wait for it",
               "SELECT id FROM " WEFT_FLAGGED
               " WHERE flags & 2 = 0 AND EXISTS (SELECT 1 FROM weft_dependency WHERE parent = id)"},
    table_rule{"does not know that it waits for others",
               "SELECT id FROM " WEFT_FLAGGED
               " WHERE flags & 4 = 0 AND EXISTS (SELECT 1 FROM weft_dependency WHERE child = id)"},
    table_rule{"counts other jobs than it has",
               "SELECT 'limit \"' || name || '\"' FROM weft_limit l LEFT JOIN"
               " (SELECT limit_id, count(*) AS jobs FROM weft_job WHERE limit_id > 0 GROUP BY limit_id) c"
               " ON c.limit_id = l.id WHERE l.jobs <> coalesce(c.jobs, 0)"},
};

#undef WEFT_FLAGGED

void check_rule(connection& database, const table_rule& one, database_report& report) {
  statement rows(database.handle(), one.query, "check the tables");
  std::int64_t count = 0;
  for (; rows.step(); ++count) {
    if (count < shown_per_rule) add_problem(report, rows.text(0) + ' ' + one.broken);
  }
  add_unnamed_problems(report, one, count);
}

void check_pages(connection& database, database_report& report) {
  statement rows(database.handle(), "PRAGMA integrity_check(100)", "check the pages");
  while (rows.step()) {
    if (const auto text = rows.text(0); text != "ok") add_problem(report, "SQLite: " + text);
  }
}

std::int64_t count_of(connection& database, const char* query) {
  statement rows(database.handle(), query, "count");
  return rows.step() ? rows.integer(0) : 0;
}

void check_tables(connection& database, database_report& report) {
  report.schema_version = stored_version(database);
  check_pages(database, report);
  if (report.schema_version != schema_version) {
    add_problem(report, "the tables have version " + std::to_string(report.schema_version) +
                            ", this build knows " + std::to_string(schema_version) +
                            "; they were not looked at");
    return;
  }
  for (const auto& one : common_table_rules()) check_rule(database, one, report);
  for (const auto& one : own_rules) check_rule(database, one, report);
  report.jobs = count_of(database, "SELECT count(*) FROM weft_job");
  report.workers = count_of(database, "SELECT count(*) FROM weft_worker");
}

}  // namespace

database_report check_database(const std::string& path) {
  database_report report{.path = path, .schema_known = schema_version, .problems = {}};
  connection database(path, file_use::existing);
  try {
    database.execute("BEGIN", "take a snapshot");
    check_tables(database, report);
  } catch (const error& broken) {
    if (broken.code() != errc::corrupt) throw;
    report.problems.push_back(broken.message());
  }
  database.rollback();
  return report;
}

}  // namespace weft::inline v1::jobs::sqlite
