#include <array>
#include <string>
#include <string_view>

#include <weft/core/error.hpp>
#include <weft/jobs/maintenance.hpp>
#include <weft/log/escape.hpp>

#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/schema.hpp"

// What must hold between the tables, each a query for the rows that break it. They read the newest schema.

namespace weft::jobs::sqlite {
namespace {

constexpr std::size_t problems_max = 100;
constexpr std::int64_t shown_per_rule = 10;

struct rule {
  const char* broken;  ///< what a row that the query finds means; its first column says of what
  const char* query;
};

/// The id of each job in each table of states.
#define WEFT_JOB_PLACES                                                                                      \
  "(SELECT id FROM weft_ready UNION ALL SELECT id FROM weft_scheduled UNION ALL SELECT id FROM weft_running" \
  " UNION ALL SELECT id FROM weft_blocked UNION ALL SELECT id FROM weft_done UNION ALL SELECT id FROM "      \
  "weft_dead)"

/// The id and the flags of each job that a table has flags of.
#define WEFT_FLAGGED                                                                                       \
  "(SELECT id, flags FROM weft_ready UNION ALL SELECT id, flags FROM weft_scheduled UNION ALL SELECT id, " \
  "flags FROM weft_running UNION ALL SELECT id, flags FROM weft_blocked UNION ALL SELECT id, flags FROM "  \
  "weft_dead)"

constexpr std::array rules{
    rule{"is a job in no state", "SELECT id FROM weft_job WHERE id NOT IN " WEFT_JOB_PLACES},
    rule{"is in more than one state", "SELECT id FROM " WEFT_JOB_PLACES " GROUP BY id HAVING count(*) > 1"},
    rule{"has a state and is no job",
         "SELECT id FROM " WEFT_JOB_PLACES " WHERE id NOT IN (SELECT id FROM weft_job)"},
    rule{"is a job of a queue that is not there",
         "SELECT id FROM weft_job WHERE queue NOT IN (SELECT id FROM weft_queue)"},
    rule{"is a job of a closure that is not there",
         "SELECT id FROM weft_job WHERE handler NOT IN (SELECT id FROM weft_handler)"},
    rule{"runs, and its worker is not there",
         "SELECT id FROM weft_running WHERE owner NOT IN (SELECT id FROM weft_worker)"},
    rule{"has attempts and is no job",
         "SELECT DISTINCT job FROM weft_attempt WHERE job NOT IN (SELECT id FROM weft_job)"},
    rule{"has a result and is not done",
         "SELECT job FROM weft_result WHERE job NOT IN (SELECT id FROM weft_done)"},
    rule{"has tags and is no job",
         "SELECT DISTINCT job FROM weft_tag WHERE job NOT IN (SELECT id FROM weft_job)"},
    rule{"has tags for another state than it is in",
         "SELECT DISTINCT t.job FROM weft_tag t JOIN (SELECT id, 1 AS state FROM weft_ready"
         " UNION ALL SELECT id, 1 FROM weft_running UNION ALL SELECT id, 0 FROM weft_scheduled"
         " UNION ALL SELECT id, 7 FROM weft_blocked UNION ALL SELECT id, 3 FROM weft_done"
         " UNION ALL SELECT id, state FROM weft_dead) s ON s.id = t.job WHERE t.state <> s.state"},
    rule{"has steps and is no job",
         "SELECT DISTINCT job FROM weft_step WHERE job NOT IN (SELECT id FROM weft_job)"},
    rule{"is to expire and does not wait",
         "SELECT job FROM weft_expiry WHERE job NOT IN (SELECT id FROM weft_ready"
         " UNION ALL SELECT id FROM weft_scheduled UNION ALL SELECT id FROM weft_blocked)"},
    rule{"waits and is to expire, and nobody would see to it",
         "SELECT id FROM weft_job WHERE expires IS NOT NULL AND id IN (SELECT id FROM weft_ready"
         " UNION ALL SELECT id FROM weft_scheduled UNION ALL SELECT id FROM weft_blocked)"
         " AND expires IS NOT (SELECT expires FROM weft_expiry WHERE job = weft_job.id)"},
    rule{"does not know rightly whether it has a unique key",
         "SELECT id FROM " WEFT_FLAGGED
         " WHERE (flags & 1 <> 0) <> EXISTS (SELECT 1 FROM weft_unique WHERE job = id)"},
    rule{"does not know rightly whether it has tags",
         "SELECT id FROM " WEFT_FLAGGED
         " WHERE (flags & 8 <> 0) <> EXISTS (SELECT 1 FROM weft_tag WHERE job = id)"},
    rule{"does not know rightly whether it is to expire",
         "SELECT f.id FROM " WEFT_FLAGGED
         " f JOIN weft_job j ON j.id = f.id WHERE (f.flags & 16 <> 0) <> (j.expires IS NOT NULL)"},
    rule{"does not know that others wait for it",
         "SELECT id FROM " WEFT_FLAGGED
         " WHERE flags & 2 = 0 AND EXISTS (SELECT 1 FROM weft_dependency WHERE parent = id)"},
    rule{"does not know that it waits for others",
         "SELECT id FROM " WEFT_FLAGGED
         " WHERE flags & 4 = 0 AND EXISTS (SELECT 1 FROM weft_dependency WHERE child = id)"},
    rule{"holds a unique key and is no job",
         "SELECT job FROM weft_unique WHERE held = 1 AND job NOT IN (SELECT id FROM weft_job)"},
    rule{"waits for fewer or more jobs than it says",
         "SELECT id FROM weft_blocked WHERE pending <> (SELECT count(*) FROM weft_dependency WHERE child = "
         "id)"},
    rule{"waits for others and is not blocked",
         "SELECT DISTINCT child FROM weft_dependency WHERE child NOT IN (SELECT id FROM weft_blocked)"},
    rule{"counts other jobs than it has",
         "SELECT DISTINCT coalesce('queue \"' || (SELECT name FROM weft_queue q WHERE q.id = queue) || '\"',"
         " 'a queue that is not there') FROM (SELECT queue, state, handler, jobs FROM weft_count"
         " UNION ALL SELECT queue, 0, handler, -1 FROM weft_scheduled"
         " UNION ALL SELECT queue, 1, handler, -1 FROM weft_ready"
         " UNION ALL SELECT queue, 7, handler, -1 FROM weft_blocked"
         " UNION ALL SELECT queue, 3, 0, -1 FROM weft_done"
         " UNION ALL SELECT queue, state, 0, -1 FROM weft_dead)"
         " GROUP BY queue, state, handler HAVING sum(jobs) <> 0"},
    rule{"is a job of a limit that is not there",
         "SELECT id FROM weft_job WHERE limit_id > 0 AND limit_id NOT IN (SELECT id FROM weft_limit)"},
    rule{"counts other jobs than run",
         "SELECT 'limit \"' || name || '\"' FROM weft_limit l WHERE running <>"
         " (SELECT count(*) FROM weft_running r WHERE r.limit_id = l.id)"},
    rule{"counts other jobs than it has",
         "SELECT 'limit \"' || name || '\"' FROM weft_limit l LEFT JOIN"
         " (SELECT limit_id, count(*) AS jobs FROM weft_job WHERE limit_id > 0 GROUP BY limit_id) c"
         " ON c.limit_id = l.id WHERE l.jobs <> coalesce(c.jobs, 0)"},
};

#undef WEFT_FLAGGED
#undef WEFT_JOB_PLACES

/// What it names may be anybody's text.
void add_problem(database_report& to, std::string_view what) {
  if (to.problems.size() < problems_max) log::append_escaped(to.problems.emplace_back(), what);
}

void check_rule(connection& database, const rule& one, database_report& report) {
  statement rows(database.handle(), one.query, "check the tables");
  std::int64_t count = 0;
  for (; rows.step(); ++count) {
    if (count < shown_per_rule) add_problem(report, rows.text(0) + ' ' + one.broken);
  }
  if (count > shown_per_rule) {
    add_problem(report,
                "and " + std::to_string(count - shown_per_rule) + " more of which each " + one.broken);
  }
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
  for (const auto& one : rules) check_rule(database, one, report);
  report.jobs = count_of(database, "SELECT count(*) FROM weft_job");
  report.workers = count_of(database, "SELECT count(*) FROM weft_worker");
}

}  // namespace
}  // namespace weft::jobs::sqlite

namespace weft::jobs {

database_report check_database(const std::string& path) {
  database_report report{.path = path, .schema_known = sqlite::schema_version, .problems = {}};
  sqlite::connection database(path, sqlite::file_use::existing);
  try {
    database.execute("BEGIN", "take a snapshot");
    sqlite::check_tables(database, report);
  } catch (const error& broken) {
    if (broken.code() != errc::corrupt) throw;
    report.problems.push_back(broken.message());
  }
  database.rollback();
  return report;
}

}  // namespace weft::jobs
