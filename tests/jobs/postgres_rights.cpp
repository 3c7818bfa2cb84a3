// Roles with least rights. The contract suite runs with those of a worker
// (../store_contract/postgres_database.cpp).

#include <weft/core/error.hpp>

#include "postgres_fixture.hpp"

namespace weft::jobs {
namespace {

using weft_test::database_error_of;

/// Each test has a role, which is gone when it ends.
class postgres_rights : public postgres_stores {
 protected:
  void SetUp() override {
    postgres_stores::SetUp();
    as_owner("CREATE ROLE " + role_ + " LOGIN");
  }
  void TearDown() override {
    stores_.clear();
    as_owner("DROP OWNED BY " + role_ + "; DROP ROLE " + role_);
    postgres_stores::TearDown();
  }

  void as_owner(const std::string& sql) {
    weft_test::with_connection(url_, [&](auto& session) { session.run_script(sql); });
  }
  void grant(const std::string& rights) { grant_rights(url_, role_, rights); }
  std::string role_url() const {
    std::string url = url_;
    return url.replace(url.find("weft@"), 4, role_);
  }
  /// SQLSTATE of what the role may not do.
  std::string refused(const std::string& sql) {
    return database_error_of(
               [&] { weft_test::with_connection(role_url(), [&](auto& session) { session.run(sql); }); })
        .state();
  }
  void does(const std::string& sql) {
    weft_test::with_connection(role_url(), [&](auto& session) { session.run(sql); });
  }
  /// Rights of the role on tables and sequences of weft, as "table RIGHT".
  std::vector<std::string> rights_on_tables(const std::string& but = "") {
    return texts(
        "SELECT c.relname || ' ' || r FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE',"
        " 'TRUNCATE', 'REFERENCES', 'TRIGGER']) r WHERE c.relnamespace = 'weft'::regnamespace"
        " AND c.relkind IN ('r', 'v') AND r <> '" +
        but + "' AND has_table_privilege('" + role_ +
        "', c.oid, r)"
        " UNION ALL SELECT c.relname || ' ' || r FROM pg_class c, unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) "
        "r"
        " WHERE c.relnamespace = 'weft'::regnamespace AND c.relkind = 'S'"
        " AND has_sequence_privilege('" +
        role_ + "', c.oid, r)");
  }
  std::vector<std::string> functions_with(const std::string& condition) {
    return texts(
        "SELECT proname || coalesce(' ' || proargnames[1], '') FROM pg_proc"
        " WHERE pronamespace = 'weft'::regnamespace AND " +
        condition + " ORDER BY 1");
  }
  std::string may_run() const { return "has_function_privilege('" + role_ + "', oid, 'EXECUTE')"; }
  std::vector<std::string> texts(const std::string& sql) {
    std::vector<std::string> all;
    weft_test::with_connection(url_, [&](auto& session) {
      const auto rows = session.run(sql);
      for (std::size_t row = 0; row < rows.rows(); ++row) all.emplace_back(rows.text(row, 0));
    });
    return all;
  }
  static constexpr const char* push_by_sql = "SELECT weft.weft_push('mail', 'mail.welcome(i64)', '[1]')";

  const std::string role_ = "rights_" + std::to_string(::getpid());
};

TEST_F(postgres_rights, nobody_has_any_before) {
  EXPECT_EQ(rights_on_tables(), std::vector<std::string>{});
  EXPECT_EQ(functions_with(may_run()), std::vector<std::string>{});
  EXPECT_EQ(refused(push_by_sql), "42501");
  EXPECT_EQ(refused("SELECT 1 FROM weft.weft_meta"), "42501");
}

TEST_F(postgres_rights, a_pusher_pushes_and_does_nothing_else) {
  grant("pusher");
  does(push_by_sql);
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_ready"), 1);
  EXPECT_EQ(rights_on_tables(), std::vector<std::string>{});
  EXPECT_EQ(functions_with(may_run()), std::vector<std::string>{"weft_push queue"});
  // By name, and not by what the catalogue says alone.
  EXPECT_EQ(refused("SELECT envelope FROM weft.weft_job"), "42501");
  EXPECT_EQ(refused("DELETE FROM weft.weft_ready"), "42501");
  EXPECT_EQ(refused("SELECT weft.weft_names('{a}', '{b}')"), "42501");
  EXPECT_EQ(refused("SELECT weft.weft_set_paused('mail', true)"), "42501");
  EXPECT_EQ(refused("SELECT nextval('weft.weft_pushed')"), "42501");
  EXPECT_EQ(refused("CREATE TABLE weft.own (n integer)"), "42501");
}

TEST_F(postgres_rights, functions_of_the_owner_do_not_look_elsewhere) {
  EXPECT_EQ(
      functions_with("prosecdef AND NOT coalesce(proconfig @> ARRAY['search_path=weft, pg_temp'], false)"),
      std::vector<std::string>{});
  grant("pusher");
  // Neither a table of the caller's own nor an operator or function of his takes the place of one of weft.
  weft_test::with_connection(role_url(), [&](auto& session) {
    session.run("CREATE TEMP TABLE weft_queue (id integer, name text, paused boolean)");
    session.run(
        "CREATE FUNCTION pg_temp.weft_names(text[], text[]) RETURNS text LANGUAGE sql AS $$ SELECT 'mine' "
        "$$");
    session.run("SET search_path = pg_temp, weft, public");
    session.run(push_by_sql);
    EXPECT_EQ(session.run("SELECT count(*) FROM pg_temp.weft_queue").integer(0, 0), 0);
  });
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_ready"), 1);
}

TEST_F(postgres_rights, a_worker_does_all_but_change_the_schema) {
  grant("worker");
  stores_.push_back(open_store(role_url()));
  store& own = *stores_.back();
  push(own, job(1));
  join(own, 1);
  ASSERT_EQ(claim(own, 1, 1).size(), 1U);
  EXPECT_EQ(rights_on_tables("SELECT"), std::vector<std::string>{});
  EXPECT_EQ(functions_with("NOT prosecdef AND " + may_run()), std::vector<std::string>{});
  for (const std::string sql :
       {"CREATE TABLE weft.own (n integer)", "DROP TABLE weft.weft_job",
        "ALTER TABLE weft.weft_job ADD own integer", "UPDATE weft.weft_meta SET value = 2",
        "DELETE FROM weft.weft_job", "DROP FUNCTION weft.weft_beat(bigint)",
        "CREATE OR REPLACE FUNCTION weft.weft_beat(p_id bigint) RETURNS bigint[] LANGUAGE sql AS 'SELECT "
        "NULL'",
        "SELECT weft.weft_grant(current_user, 'reader')"}) {
    EXPECT_EQ(refused(sql), "42501") << sql;
  }
}

TEST_F(postgres_rights, a_reader_reads) {
  push(open(), job(1));
  grant("reader");
  const auto seen = open_store(role_url(), {.prepare = false});
  EXPECT_EQ(seen->stats().size(), 1U);
  EXPECT_TRUE(seen->find(job_id{1}));
  EXPECT_EQ(functions_with(may_run()), std::vector<std::string>{});
  EXPECT_EQ(rights_on_tables("SELECT"), std::vector<std::string>{});
  weft_test::expect_error(errc::refused, [&] { seen->cancel(job_id{1}, at(1)); });
}

TEST_F(postgres_rights, are_those_that_were_granted_last) {
  grant("worker");
  grant("reader");
  EXPECT_EQ(functions_with(may_run()), std::vector<std::string>{});
  grant("none");
  EXPECT_EQ(rights_on_tables(), std::vector<std::string>{});
  EXPECT_EQ(refused(push_by_sql), "42501");
}

TEST_F(postgres_rights, are_not_granted_where_that_means_nothing) {
  const auto refused_with = [&](errc why, const std::string& role, const std::string& rights,
                                const std::string& said) {
    weft_test::expect_error(
        why, [&] { grant_rights(url_, role, rights); }, said);
  };
  refused_with(errc::invalid_argument, role_, "writer", "They are pusher, worker, reader or none");
  refused_with(errc::not_found, "nobody_" + role_, "worker", "; CREATE ROLE nobody_" + role_ + " LOGIN");
  refused_with(errc::not_found, "public", "worker", "there is no role \"public\"");
  refused_with(errc::refused, "weft", "worker", "to whom the schema weft belongs");
  EXPECT_EQ(rights_on_tables(), std::vector<std::string>{});
}

}  // namespace
}  // namespace weft::jobs
