#include "jobs/postgres/migrate.hpp"

#include <chrono>
#include <string>

#include <weft/context/cancellation.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>

#include "jobs/postgres/link/database_error.hpp"
#include "jobs/postgres/schema_text.hpp"

// weft_meta names the version of the schema, and the oldest one whose builds may use it as well: so a program
// may be replaced on one machine after the other. All missing steps, and then the functions, are one
// transaction.

namespace weft::inline v1::jobs::postgres {
namespace {

// Held while the schema is brought up to date: "weft" in ASCII.
constexpr const char* one_at_a_time = "SELECT pg_advisory_xact_lock(2003134068)";

// What is made belongs to whom the schema belongs to, whoever brings it up to date: functions run with the
// rights of their owner, and only he can replace them the next time.
constexpr const char* act_as_owner =
    "DO $$ DECLARE v_owner constant name := (SELECT pg_get_userbyid(nspowner) FROM pg_namespace"
    " WHERE nspname = 'weft');"
    " BEGIN IF v_owner IS NULL THEN RETURN; END IF;"
    " IF NOT pg_has_role(session_user, v_owner, 'MEMBER') THEN"
    " RAISE EXCEPTION 'jobs: bring the schema weft up to date: it belongs to %, who alone can do it', v_owner"
    " USING ERRCODE = 'WF002', HINT = 'Connect as that role'; END IF;"
    " EXECUTE format('SET LOCAL ROLE %I', v_owner); END $$";

// What the steps leave in weft_meta.
constexpr int compatible_from = 1;

struct versions {
  int stored = 0;
  int compatible_from = 0;
};

versions versions_of(connection& in) {
  if (in.run("SELECT to_regclass('weft.weft_meta')::text").is_null(0, 0)) return {};
  versions found;
  const result rows = in.run("SELECT name, value FROM weft.weft_meta");
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const auto number = static_cast<int>(rows.integer(row, 1));
    if (rows.text(row, 0) == "schema_version") found.stored = number;
    if (rows.text(row, 0) == "compatible_from") found.compatible_from = number;
  }
  return found;
}

/// True if there is nothing to bring up to date.
bool is_usable(const versions& found) {
  if (found.stored > schema_version() && found.compatible_from > schema_version()) {
    throw error(errc::unsupported,
                "jobs: open the store in PostgreSQL: its schema has version " + std::to_string(found.stored) +
                    ", which needs builds that know version " + std::to_string(found.compatible_from) +
                    "; this build knows up to " + std::to_string(schema_version()));
  }
  return found.stored >= schema_version();
}

// A step that waits for a table has everybody wait behind it, claims too; so it waits for less than anybody
// notices, and then lets them all go first.
constexpr const char* wait_briefly = "SET LOCAL lock_timeout = '500ms'";
constexpr std::chrono::milliseconds between_tries{1500};

void run_missing(connection& in, const versions& found) {
  if (is_usable(found)) return;
  for (const auto& step : schema_steps()) {
    if (step.version <= found.stored) continue;
    for (const char* const script : step.scripts) in.run_script(script);
  }
  for (const char* const script : schema_functions()) in.run_script(script);
}

void migrate_once(connection& in) {
  in.run("BEGIN");
  try {
    in.run(one_at_a_time);
    in.run(act_as_owner);
    in.run(wait_briefly);
    run_missing(in, versions_of(in));
    in.run("COMMIT");
  } catch (...) {
    if (in.is_open() && in.is_in_transaction()) in.run("ROLLBACK");
    throw;
  }
}

[[noreturn]] void throw_locked(connection& in) {
  const result who = in.run(
      "SELECT a.pid, a.application_name, a.xact_start::text, string_agg(DISTINCT c.relname, ', ')"
      " FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace"
      " JOIN pg_stat_activity a ON a.pid = l.pid"
      " WHERE n.nspname = 'weft' AND c.relkind IN ('r', 'p') AND l.granted AND a.pid <> pg_backend_pid()"
      " GROUP BY a.pid, a.application_name, a.xact_start ORDER BY a.xact_start LIMIT 1");
  std::string text = "jobs: bring the schema weft up to date: a table of it is locked";
  if (who.rows() > 0) {
    text += " by a transaction that others began at " + std::string(who.text(0, 2)) +
            ", of the server process " + std::to_string(who.integer(0, 0)) + " (application \"" +
            std::string(who.text(0, 1)) + "\"; tables: " + std::string(who.text(0, 3)) + ")";
  }
  throw error(errc::busy, text + "; end it, or try again later");
}

}  // namespace

int schema_version() noexcept { return schema_steps().back().version; }

int stored_version(connection& in) { return versions_of(in).stored; }

jobs::migration planned(connection& in) {
  const versions found = versions_of(in);
  jobs::migration steps{found.stored, found.stored, {}, found.compatible_from};
  if (is_usable(found)) return steps;
  steps.to = schema_version();
  steps.compatible_from = compatible_from;
  for (const auto& one : schema_steps()) {
    if (one.version <= found.stored) continue;
    std::string& sql = steps.steps.emplace_back(jobs::migration_step{one.version, {}}).sql;
    for (const char* const script : one.scripts) sql += script;
  }
  for (const char* const script : schema_functions()) steps.steps.back().sql += script;
  return steps;
}

void migrate(connection& in, std::chrono::milliseconds patience) {
  const steady_time until = deadline_after(patience);
  while (!is_usable(versions_of(in))) {
    try {
      migrate_once(in);
    } catch (const database_error& failed) {
      if (failed.state() != lock_not_available) throw;
      if (steady_clock::now() >= until) throw_locked(in);
      sleep_for(between_tries);
    }
  }
}

void expect_current(connection& in) {
  const versions found = versions_of(in);
  if (found.stored == 0) {
    throw error(errc::not_found,
                "jobs: open the store in PostgreSQL: the database has no schema weft; make it with `weft db "
                "migrate`, or open it once with store_options::prepare");
  }
  if (is_usable(found)) return;
  throw error(errc::unsupported, "jobs: open the store in PostgreSQL: its schema has version " +
                                     std::to_string(found.stored) + ", this build needs " +
                                     std::to_string(schema_version()) +
                                     "; `weft db migrate` brings it up to date");
}

}  // namespace weft::inline v1::jobs::postgres
