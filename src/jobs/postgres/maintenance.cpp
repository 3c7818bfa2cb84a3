#include "jobs/postgres/maintenance.hpp"

#include <array>
#include <chrono>

#include "jobs/postgres/link/connection.hpp"
#include "jobs/postgres/link/store_thread.hpp"
#include "jobs/postgres/migrate.hpp"
#include "jobs/table_rules.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

/// Besides those of every kind of database.
constexpr std::array own_rules{
    table_rule{"is of a queue and closure that are no line",
               "SELECT id FROM weft_job j WHERE NOT EXISTS (SELECT 1 FROM weft_line l WHERE l.queue = j.queue"
               " AND l.handler = j.handler)"},
    table_rule{
        "does not know that it waits for others",
        "SELECT id FROM (SELECT id, flags FROM weft_ready UNION ALL SELECT id, flags FROM weft_scheduled"
        " UNION ALL SELECT id, flags FROM weft_running UNION ALL SELECT id, flags FROM weft_dead) f"
        " WHERE flags & 4 = 0 AND EXISTS (SELECT 1 FROM weft_dependency WHERE child = id)"},
    table_rule{
        "waits for an end that has come",
        "SELECT d.child FROM weft_dependency d WHERE EXISTS (SELECT 1 FROM weft_done e WHERE e.id = d.parent)"
        " OR (d.even_if_given_up AND EXISTS (SELECT 1 FROM weft_dead e WHERE e.id = d.parent))"},
};

/// `work(connection&)` on a loop.
template <typename Work>
auto connected(const std::string& url, Work work) {
  const address to(url);
  store_thread on("weft-db");
  return on.call([&] {
    const auto link = connection::open(to);
    return work(*link);
  });
}

void check_rule(connection& in, const table_rule& one, database_report& report) {
  const std::string sql = "SELECT broken.what::text, count(*) OVER () FROM (" + std::string(one.query) +
                          ") broken (what) LIMIT " + std::to_string(shown_per_rule);
  const result rows = in.run(sql, {}, {.prepare = false});
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    add_problem(report, std::string(rows.text(row, 0)) + ' ' + one.broken);
  }
  if (rows.rows() > 0) add_unnamed_problems(report, one, rows.integer(0, 1));
}

/// To half the time that the question takes.
std::chrono::microseconds clock_ahead(connection& of) {
  const auto now = [] {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
  };
  const auto asked = now();
  const result answer =
      of.run("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", {}, {.prepare = false});
  const auto told = now();
  return std::chrono::microseconds(answer.integer(0, 0)) - (asked + (told - asked) / 2);
}

}  // namespace

database_facts look_at_database(const std::string& url) {
  return connected(url, [&](connection& in) {
    const auto plan = planned(in);
    const result version = in.run("SHOW server_version", {}, {.prepare = false});
    return database_facts{address(url).shown(), "PostgreSQL " + std::string(version.text(0, 0)), plan.from,
                          plan.to, clock_ahead(in)};
  });
}

database_report check_database(const std::string& url) {
  database_report report{.path = address(url).shown(), .schema_known = schema_version(), .problems = {}};
  connected(url, [&](connection& in) {
    expect_current(in);
    report.schema_version = stored_version(in);
    const std::array begin{statement{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
                           statement{"SET LOCAL search_path = weft, pg_temp", nullptr, {.prepare = false}}};
    in.run_all(begin);
    for (const auto& one : common_table_rules()) check_rule(in, one, report);
    for (const auto& one : own_rules) check_rule(in, one, report);
    const result counts = in.run("SELECT (SELECT count(*) FROM weft_job), (SELECT count(*) FROM weft_worker)",
                                 {}, {.prepare = false});
    report.jobs = counts.integer(0, 0);
    report.workers = counts.integer(0, 1);
  });
  return report;
}

migration plan_migration(const std::string& url) {
  return connected(url, [](connection& in) { return planned(in); });
}

migration migrate_database(const std::string& url) {
  return connected(url, [](connection& in) {
    migration done = planned(in);
    migrate(in);
    return done;
  });
}

void grant_rights(const std::string& url, const std::string& role, const std::string& rights) {
  connected(url, [&](connection& in) {
    expect_current(in);
    parameters with;
    with.text(role).text(rights);
    in.run("SELECT weft.weft_grant($1, $2)", with);
  });
}

}  // namespace weft::inline v1::jobs::postgres
