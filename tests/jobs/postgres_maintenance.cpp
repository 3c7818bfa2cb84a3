// What <weft/jobs/maintenance.hpp> does with a database in PostgreSQL.

#include <chrono>
#include <future>

#include <weft/core/error.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/fiber/fiber.hpp>

#include "jobs/postgres/migrate.hpp"
#include "postgres_fixture.hpp"

namespace weft::jobs {
namespace {

class postgres_maintenance : public postgres_stores {
 protected:
  void change(const std::string& sql) {
    weft_test::with_connection(url_, [&](auto& session) {
      session.run("SET search_path = weft");
      session.run_script(sql);
    });
  }
  /// Has the schema that version again, after a test that said otherwise.
  static std::string version_is(int version) {
    return "UPDATE weft_meta SET value = 1; UPDATE weft_meta SET value = " + std::to_string(version) +
           " WHERE name = 'schema_version'";
  }
  std::string problems() {
    std::string all;
    for (const auto& one : check_database(url_).problems) all += one + '\n';
    return all;
  }
  /// A database of the same server without anything of weft.
  std::string make_empty() {
    change("DROP DATABASE IF EXISTS " + std::string(empty_name));  // another test's
    change("CREATE DATABASE " + std::string(empty_name));
    const std::size_t begin = url_.find('/', url_.find("//") + 2) + 1;
    return std::string(url_).replace(begin, url_.find('?') - begin, empty_name);
  }
  static constexpr const char* empty_name = "empty";
};

TEST_F(postgres_maintenance, a_look_says_what_the_server_is_and_how_its_clock_goes) {
  open();
  const auto found = look_at_database(url_);
  EXPECT_EQ(found.software.find("PostgreSQL 1"), 0U) << found.software;
  EXPECT_EQ(found.schema_version, found.schema_known);
  EXPECT_GT(found.schema_known, 0);
  EXPECT_EQ(found.path.find("postgres:"), std::string::npos) << found.path;
  ASSERT_TRUE(found.clock_ahead.has_value());
  EXPECT_LT(std::chrono::abs(*found.clock_ahead), std::chrono::seconds(10)) << "it is this machine's";

  const auto empty = look_at_database(make_empty());
  EXPECT_EQ(empty.schema_version, 0);
  EXPECT_EQ(empty.schema_known, found.schema_known);
}

TEST_F(postgres_maintenance, check_counts_and_is_content_with_what_weft_made) {
  store& own = open();
  for (std::int64_t id = 1; id <= 3; ++id) push(own, job(id));
  join(own, 1);
  ASSERT_EQ(claim(own, 1, 1).size(), 1U);
  const auto report = check_database(url_);
  EXPECT_EQ(report.problems, std::vector<std::string>{});
  EXPECT_EQ(report.jobs, 3);
  EXPECT_EQ(report.workers, 1);
  EXPECT_EQ(report.schema_version, report.schema_known);
  EXPECT_EQ(report.path.find("postgres:"), std::string::npos) << report.path;
}

TEST_F(postgres_maintenance, check_names_what_is_broken) {
  store& own = open();
  for (std::int64_t id = 1; id <= 15; ++id) push(own, job(id));
  const struct {
    const char* breaks;
    const char* mends;
    const char* said;
  } cases[] = {
      {"ALTER TABLE weft_ready RENAME TO kept; CREATE TABLE weft_ready (LIKE kept); INSERT INTO weft_ready "
       "SELECT * FROM kept WHERE id > 11",
       "DROP TABLE weft_ready; ALTER TABLE kept RENAME TO weft_ready",
       "and 1 more of which each is a job in no state"},
      {"UPDATE weft_ready SET flags = 8 WHERE id = 7", "UPDATE weft_ready SET flags = 0",
       "7 does not know rightly whether it has tags"},
      {"UPDATE weft_count SET jobs = jobs + 1", "UPDATE weft_count SET jobs = jobs - 1",
       "queue \"mail\" counts other jobs than it has"},
      {"DELETE FROM weft_line", "INSERT INTO weft_line SELECT DISTINCT queue, handler FROM weft_job",
       "7 is of a queue and closure that are no line"},
      {"INSERT INTO weft_tag VALUES (99, 1, 'a')", "DELETE FROM weft_tag", "99 has tags and is no job"},
  };
  for (const auto& one : cases) {
    change(one.breaks);
    EXPECT_NE(problems().find(one.said), std::string::npos) << one.breaks << ":\n" << problems();
    change(one.mends);
    EXPECT_EQ(problems(), "") << one.breaks;
  }
}

TEST_F(postgres_maintenance, migrate_makes_the_schema_and_says_before_what_it_would_run) {
  const std::string empty = make_empty();
  weft_test::expect_error(
      errc::not_found, [&] { check_database(empty); }, "`weft db migrate`");
  weft_test::expect_error(
      errc::not_found, [&] { open_store(empty, {.prepare = false}); }, "`weft db migrate`");
  const auto plan = plan_migration(empty);
  EXPECT_EQ(plan.from, 0);
  ASSERT_EQ(plan.steps.size(), static_cast<std::size_t>(plan.to));
  EXPECT_NE(plan.steps[0].sql.find("CREATE TABLE weft_job"), std::string::npos);
  EXPECT_EQ(plan_migration(empty).from, 0) << "it only looks";
  EXPECT_EQ(migrate_database(empty).to, plan.to);
  weft_test::with_connection(empty, [&](auto& session) {
    const auto stored = session.run("SELECT value FROM weft.weft_meta WHERE name = 'compatible_from'");
    EXPECT_EQ(stored.integer(0, 0), plan.compatible_from);
  });
  EXPECT_EQ(plan_migration(empty).from, plan.to);
  EXPECT_TRUE(migrate_database(empty).steps.empty());
  EXPECT_EQ(check_database(empty).problems, std::vector<std::string>{});
  (void)open_store(empty, {.prepare = false});
  change("DROP DATABASE " + std::string(empty_name));
}

TEST_F(postgres_maintenance, is_refused_for_a_schema_that_is_too_new) {
  const std::string known = version_is(plan_migration(url_).to);
  change("UPDATE weft_meta SET value = 1000");
  weft_test::expect_error(
      errc::unsupported, [&] { check_database(url_); }, "version 1000");
  weft_test::expect_error(
      errc::unsupported, [&] { migrate_database(url_); }, "version 1000");
  change("UPDATE weft_meta SET value = 1 WHERE name = 'compatible_from'");
  EXPECT_EQ(migrate_database(url_).steps.size(), 0U) << "newer, and says that this build may use it";
  change(known);
}

TEST_F(postgres_maintenance, a_schema_of_the_first_version_is_brought_up_to_date_and_builds_of_it_go_on) {
  // What came since is taken away again.
  change(
      "DROP TYPE weft_answer CASCADE; ALTER TABLE weft_limit DROP COLUMN pinned; UPDATE weft_meta SET value "
      "= 1 WHERE name = 'schema_version'");
  const auto plan = plan_migration(url_);
  EXPECT_EQ(plan.from, 1);
  EXPECT_EQ(plan.compatible_from, 1);
  ASSERT_EQ(plan.steps.size(), static_cast<std::size_t>(plan.to - 1));
  EXPECT_NE(plan.steps.back().sql.find("FUNCTION weft_claim("), std::string::npos);
  weft_test::expect_error(
      errc::unsupported, [&] { open_store(url_, {.prepare = false}); }, "`weft db migrate`");
  change("CREATE ROLE of_old LOGIN; SELECT weft_grant('of_old', 'worker')");
  migrate_database(url_);
  store& own = open();
  for (std::int64_t id = 1; id <= 3; ++id) push(own, job(id));
  join(own, 1);
  EXPECT_EQ(claim(own, 1, 1).size(), 1U);
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_claim(1, '{mail}', 1, 1000, ARRAY(SELECT id::bigint FROM "
                   "weft.weft_handler), '{}', true) WHERE kind = 1"),
            1)
      << "as builds of the first version ask";
  EXPECT_EQ(number("SELECT count(*) FROM pg_proc WHERE proname = 'weft_claim'"
                   " AND has_function_privilege('of_old', oid, 'EXECUTE')"),
            2)
      << "rights are those of before";
  change("DROP OWNED BY of_old; DROP ROLE of_old");
}

TEST_F(postgres_maintenance, a_migration_waits_for_a_transaction_of_others_and_holds_nobody_up) {
  change(
      "ALTER TABLE weft_limit DROP COLUMN pinned; UPDATE weft_meta SET value = 3 WHERE name = "
      "'schema_version'");
  weft_test::with_connection(url_, [&](auto& other) {
    other.run("BEGIN");
    other.run("SELECT count(*) FROM weft.weft_limit");
    const auto looking = postgres::connection::open(postgres::address(url_));
    weft_test::expect_error(
        errc::busy, [&] { postgres::migrate(*looking, std::chrono::milliseconds(1)); }, "weft_limit");
    auto migrating = std::async(std::launch::async, [&] { migrate_database(url_); });
    const auto waits = [&] {
      return looking
                 ->run(
                     "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                     " AND query LIKE '%weft_limit%' AND datname = current_database()")
                 .integer(0, 0) > 0;
    };
    while (!waits()) weft::sleep_for(std::chrono::milliseconds(10));  // the server does not tell
    looking->run("SET statement_timeout = '20s'");
    looking->run("SELECT count(*) FROM weft.weft_limit");  // would wait behind the migration for ever
    EXPECT_EQ(looking->run("SELECT value FROM weft.weft_meta WHERE name = 'schema_version'").integer(0, 0),
              3);
    other.run("COMMIT");
    weft::blocking([&] { migrating.get(); });
  });
  EXPECT_EQ(plan_migration(url_).steps.size(), 0U);
}

TEST_F(postgres_maintenance, who_brings_the_schema_up_to_date_does_it_as_its_owner) {
  const std::string empty = make_empty();
  const auto as = [&](const std::string& role) {
    return std::string(empty).replace(empty.find("weft@"), 4, role);
  };
  const auto ask = [&](const std::string& sql) {
    std::int64_t found = 0;
    weft_test::with_connection(empty, [&](auto& session) { found = session.run(sql).integer(0, 0); });
    return found;
  };
  const auto make_old = [&] {
    weft_test::with_connection(empty, [](auto& session) {
      session.run_script(
          "DROP TYPE weft.weft_answer CASCADE; ALTER TABLE weft.weft_limit DROP COLUMN pinned;"
          "UPDATE weft.weft_meta SET value = 1 WHERE name = 'schema_version'");
    });
  };
  change("CREATE ROLE of_schema LOGIN; CREATE ROLE of_other LOGIN");
  change("GRANT CREATE ON DATABASE " + std::string(empty_name) + " TO of_schema");
  migrate_database(as("of_schema"));
  grant_rights(empty, "of_other", "worker");
  make_old();
  weft_test::expect_error(
      errc::refused, [&] { migrate_database(as("of_other")); }, "it belongs to of_schema");
  EXPECT_EQ(plan_migration(empty).from, 1);
  migrate_database(empty);  // as a superuser
  EXPECT_EQ(ask("SELECT count(*) FROM pg_proc WHERE pronamespace = 'weft'::regnamespace"
                " AND proowner <> 'of_schema'::regrole"),
            0);
  EXPECT_EQ(ask("SELECT count(*) FROM pg_class WHERE relnamespace = 'weft'::regnamespace"
                " AND relowner <> 'of_schema'::regrole"),
            0);
  EXPECT_EQ(ask("SELECT count(*) FROM pg_proc WHERE proname = 'weft_claim' AND prosecdef"), 2);
  make_old();
  EXPECT_GE(migrate_database(as("of_schema")).steps.size(), 1U) << "the owner is not locked out";
  change("DROP DATABASE " + std::string(empty_name));
  change("DROP ROLE of_schema, of_other");
}

TEST_F(postgres_maintenance, a_schema_that_is_there_needs_no_right_to_make_one) {
  const std::string empty = make_empty();
  change("CREATE ROLE of_schema LOGIN");
  weft_test::with_connection(
      empty, [](auto& session) { session.run("CREATE SCHEMA weft AUTHORIZATION of_schema"); });
  EXPECT_GT(migrate_database(std::string(empty).replace(empty.find("weft@"), 4, "of_schema")).to, 0);
  change("DROP DATABASE " + std::string(empty_name));
  change("DROP ROLE of_schema");
}

TEST_F(postgres_maintenance, an_older_build_goes_on_while_a_newer_one_brings_the_schema_up_to_date) {
  store& older = open();
  const std::string known = version_is(plan_migration(url_).to);
  for (std::int64_t id = 1; id <= 30; ++id) push(older, job(id));
  join(older, 1);
  const auto before = claim(older, 1, 10);
  // What a newer build might do: its version, and that builds of this one may go on.
  change(
      "BEGIN; ALTER TABLE weft_job ADD COLUMN origin text NOT NULL DEFAULT 'older';"
      "ALTER TABLE weft_worker ADD COLUMN zone text; CREATE TABLE weft_zone (name text PRIMARY KEY);"
      "UPDATE weft_meta SET value = 1000 WHERE name = 'schema_version'; COMMIT");
  store& newer = open();
  join(newer, 2);
  push(newer, job(31));
  push(older, job(32));
  const auto of_newer = claim(newer, 2, 12);
  const auto of_older = claim(older, 1, 12);
  EXPECT_EQ(before.size() + of_newer.size() + of_older.size(), 32U);
  older.beat(worker_id{1});
  for (const auto& one : before) EXPECT_TRUE(older.finish(end(one, 1)));
  for (const auto& one : of_older) EXPECT_TRUE(older.finish(end(one, 1)));
  for (const auto& one : of_newer) EXPECT_TRUE(newer.finish(end(one, 2)));
  EXPECT_EQ(older.stats().at(0).done, 32);
  EXPECT_EQ(older.find(job_id{31})->state, job_state::done);
  EXPECT_EQ(problems(), "");
  change(
      "ALTER TABLE weft_job DROP COLUMN origin; ALTER TABLE weft_worker DROP COLUMN zone; DROP TABLE "
      "weft_zone; " +
      known);
}

TEST_F(postgres_maintenance, backups_are_made_by_the_servers_own_tool) {
  weft_test::expect_error(
      errc::unsupported, [&] { backup_database(url_, "/tmp/none"); }, "pg_dump");
  weft_test::expect_error(errc::unsupported, [&] { check_database("memory:"); });
  weft_test::expect_error(errc::invalid_argument, [&] { check_database("mysql://a"); });
}

}  // namespace
}  // namespace weft::jobs
