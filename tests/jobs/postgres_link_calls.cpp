#include <gtest/gtest.h>

#include <array>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>

#include "jobs/postgres/link/connection.hpp"
#include "support/postgres_link.hpp"
#include "support/postgres_server.hpp"

// Statements, transactions, errors and cancellation on a session.

namespace {

using namespace weft::jobs::postgres;
using namespace std::chrono_literals;
using weft::errc;
using weft_test::database_error_of;
using weft_test::expect_error;
using weft_test::with_connection;

const weft_test::postgres_server& server() {
  static const weft_test::postgres_server one;
  return one;
}

std::string state_of(connection& session, const std::string& sql) {
  return database_error_of([&] { session.run(sql); }).state();
}

TEST(PostgresLinkCalls, ManyStatementsAreOneRoundTripAndOneTransaction) {
  with_connection(server().url(), [](connection& session) {
    session.run_script("CREATE TABLE pipelined (n bigint PRIMARY KEY)");
    parameters one;
    parameters two;
    one.bigint(1);
    two.bigint(2);
    constexpr auto insert = "INSERT INTO pipelined VALUES ($1)";
    const std::array good{statement{insert, &one}, statement{insert, &two},
                          statement{"SELECT count(*) FROM pipelined"}};
    const auto got = session.run_all(good);
    ASSERT_EQ(got.size(), 3U);
    EXPECT_EQ(got[0].affected(), 1);
    EXPECT_EQ(got[2].integer(0, 0), 2);

    parameters three;
    three.bigint(3);
    const std::array bad{statement{insert, &three}, statement{insert, &one}, statement{"SELECT 1"}};
    const auto failed = database_error_of([&] { session.run_all(bad); });
    EXPECT_EQ(failed.state(), "23505");
    EXPECT_FALSE(failed.is_in_doubt());
    EXPECT_EQ(session.run("SELECT count(*) FROM pipelined").integer(0, 0), 2);
  });
}

TEST(PostgresLinkCalls, AStatementIsPreparedOnce) {
  with_connection(server().url(), [](connection& session) {
    parameters with;
    with.bigint(7);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(session.run("SELECT $1 + 1", with).integer(0, 0), 8);
    with.clear();
    with.text("7");  // the same text with another type is another statement
    EXPECT_EQ(session.run("SELECT $1 || 'x'", with).text(0, 0), "7x");
    with.clear();
    with.bigint(8);
    session.run("SELECT $1 + 3", with, {.prepare = false});
    constexpr auto prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1%'";
    EXPECT_EQ(session.run(prepared).integer(0, 0), 2);
    for (int i = 0; i < 300; ++i) session.run("SELECT " + std::to_string(i));
    EXPECT_EQ(
        session.run("SELECT count(*) FROM pg_prepared_statements", {}, {.prepare = false}).integer(0, 0),
        static_cast<std::int64_t>(statement_cache::prepared_max));
  });
}

TEST(PostgresLinkCalls, APreparedStatementThatIsGoneIsRunAllTheSame) {
  with_connection(server().url(), [](connection& session) {
    EXPECT_EQ(session.run("SELECT 5::bigint").integer(0, 0), 5);
    session.run_script("DEALLOCATE ALL");
    EXPECT_EQ(session.run("SELECT 5::bigint").integer(0, 0), 5);
    EXPECT_EQ(session.run("SELECT count(*) FROM pg_prepared_statements").integer(0, 0), 0);
  });
}

TEST(PostgresLinkCalls, APreparedStatementWhoseColumnsChangedIsRunAllTheSame) {
  with_connection(server().url(), [](connection& session) {
    session.run_script("CREATE TABLE wider (n bigint); INSERT INTO wider VALUES (1)");
    EXPECT_EQ(session.run("SELECT * FROM wider").columns(), 1U);
    session.run_script("ALTER TABLE wider ADD m bigint");
    EXPECT_EQ(session.run("SELECT * FROM wider").columns(), 2U);
  });
}

TEST(PostgresLinkCalls, EachKindOfErrorHasItsCodeAndLeavesTheSessionInUse) {
  with_connection(server().url(), [](connection& session) {
    session.run_script(
        "CREATE TABLE taken (n bigint PRIMARY KEY CHECK (n > 0)); INSERT INTO taken VALUES (1)");
    const auto raise = [](const std::string& state) {
      return "DO $$ BEGIN RAISE EXCEPTION 'as it is' USING ERRCODE = '" + state + "'; END $$";
    };
    const std::vector<std::pair<std::string, errc>> kinds{
        {"INSERT INTO taken VALUES (1)", errc::already_exists},
        {"INSERT INTO taken VALUES (0)", errc::invalid_argument},
        {"SELECT * FROM no_such_table", errc::not_found},
        {"SELECT no_such_function()", errc::not_found},
        {"SELECT 1 FROM", errc::invalid_argument},
        {"SELECT 1/0", errc::invalid_argument},
        {"SELECT pg_sleep(3600)", errc::timed_out},
        {"COMMIT; SELECT 1", errc::invalid_argument},
        {raise("40001"), errc::busy},
        {raise("40P01"), errc::busy},
        {raise("53100"), errc::storage_full},
        {raise("55P03"), errc::busy},
        {raise("42501"), errc::refused},
        {raise("WF001"), errc::not_found},
        {raise("WF002"), errc::refused},
        {raise("WF003"), errc::already_exists},
        {raise("WF004"), errc::resource_exhausted},
        {raise("WF005"), errc::misuse},
        {raise("ZZ999"), errc::unknown},
    };
    session.run_script("SET statement_timeout = '50ms'");
    for (const auto& [sql, code] : kinds) {
      const auto failed = database_error_of([&] { session.run(sql); });
      EXPECT_EQ(weft::to_string(failed.code()), weft::to_string(code)) << sql << ": " << failed.message();
      EXPECT_EQ(failed.is_run_again(), failed.state().starts_with("40")) << sql;
      EXPECT_EQ(failed.message() == "as it is", failed.state().starts_with("WF")) << failed.message();
      EXPECT_FALSE(failed.is_in_doubt()) << sql;
      EXPECT_TRUE(session.is_open()) << sql;
    }
    EXPECT_EQ(session.run("SELECT 1::bigint").integer(0, 0), 1);
  });
}

TEST(PostgresLinkCalls, ATransactionIsSeenAndFailsAsAWhole) {
  with_connection(server().url(), [](connection& session) {
    EXPECT_FALSE(session.is_in_transaction());
    session.run("BEGIN");
    EXPECT_TRUE(session.is_in_transaction());
    EXPECT_EQ(state_of(session, "SELECT 1/0"), "22012");
    EXPECT_EQ(state_of(session, "SELECT 1"), "25P02");
    EXPECT_TRUE(session.is_in_transaction());
    session.run("ROLLBACK");
    EXPECT_FALSE(session.is_in_transaction());
  });
}

TEST(PostgresLinkCalls, ACancelledStatementEndsOnTheServerToo) {
  with_connection(server().url(), [](connection& session) {
    const auto control = connection::open(address(server().url()));
    const auto sleeps = [&] {
      return control
                 ->run(
                     "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE "
                     "'SELECT pg_sleep%' AND pid = " +
                         std::to_string(session.server_pid()),
                     {}, {.prepare = false})
                 .integer(0, 0) == 1;
    };
    auto sleeper = weft::go([&] { session.run("SELECT pg_sleep(3600)"); });
    while (!sleeps()) weft::sleep_for(1ms);
    sleeper.cancel();
    EXPECT_THROW(sleeper.join(), weft::cancelled);
    EXPECT_FALSE(sleeps());
    EXPECT_TRUE(session.is_open());
    EXPECT_EQ(session.run("SELECT 1::bigint").integer(0, 0), 1);
  });
}

TEST(PostgresLinkCalls, ADeadlineEndsAStatementAndLeavesTheTransactionFailed) {
  with_connection(server().url(), [](connection& session) {
    session.run("BEGIN");
    EXPECT_THROW(weft::with_timeout(20ms, [&] { session.run("SELECT pg_sleep(3600)"); }),
                 weft::deadline_exceeded);
    EXPECT_EQ(state_of(session, "SELECT 1"), "25P02");
    session.run("ROLLBACK");
    EXPECT_THROW(weft::with_timeout(0ms, [&] { session.run("SELECT 1"); }), weft::deadline_exceeded);
    EXPECT_TRUE(session.is_open());
  });
}

TEST(PostgresLinkCalls, ASessionThatWasTerminatedIsInDoubtAndClosed) {
  with_connection(server().url(), [](connection& session) {
    const auto control = connection::open(address(server().url()));
    const std::string terminate = "SELECT pg_terminate_backend(" + std::to_string(session.server_pid()) + ")";
    auto sleeper = weft::go([&] { session.run("SELECT pg_sleep(3600)"); });
    while (control
               ->run("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT "
                     "pg_sleep%'")
               .integer(0, 0) == 0) {
      weft::sleep_for(1ms);
    }
    control->run(terminate);
    const auto lost = database_error_of([&] { sleeper.join(); });
    EXPECT_EQ(lost.code(), errc::unavailable);
    EXPECT_EQ(lost.state(), "57P01");
    EXPECT_TRUE(lost.is_in_doubt());
    EXPECT_FALSE(session.is_open());
    const auto closed = database_error_of([&] { session.run("SELECT 1"); });
    EXPECT_EQ(closed.code(), errc::unavailable);
    EXPECT_FALSE(closed.is_in_doubt());
  });
}

TEST(PostgresLinkCalls, TwoTasksOnOneSessionAreRefused) {
  with_connection(server().url(), [](connection& session) {
    auto sleeper = weft::go([&] { session.run("SELECT pg_sleep(3600)"); });
    weft::yield();
    expect_error(
        errc::misuse, [&] { session.run("SELECT 1"); }, "two tasks");
    sleeper.cancel();
    EXPECT_THROW(sleeper.join(), weft::cancelled);
    EXPECT_TRUE(session.is_open());
  });
}

TEST(PostgresLinkCalls, WhereNothingMayWaitNothingIsSent) {
  with_connection(server().url(), [](connection& session) {
    {
      const weft::no_wait_scope quiet("a test");
      expect_error(errc::misuse, [&] { session.run("SELECT 1"); });
    }
    EXPECT_EQ(session.run("SELECT 1::bigint").integer(0, 0), 1);
  });
}

TEST(PostgresLinkCalls, AThreadWithoutALoopBlocks) {
  const auto session = connection::open(address(server().url()));
  EXPECT_EQ(session->run("SELECT 1::bigint").integer(0, 0), 1);
}

TEST(PostgresLinkCalls, NotificationsArriveWhileAnotherStatementRunsAndWhileNoneDoes) {
  with_connection(server().url(), [](connection& session) {
    const auto sender = connection::open(address(server().url()));
    session.run("LISTEN bells");
    sender->run("NOTIFY bells, 'one'");
    session.run("SELECT 1");
    auto got = session.wait_notifications(weft::deadline_after(60s));
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got.front().channel, "bells");
    EXPECT_EQ(got.front().payload, "one");
    EXPECT_TRUE(session.wait_notifications(weft::deadline_after(1ms)).empty());
    auto listener = weft::go([&] { return session.wait_notifications(weft::deadline_after(60s)); });
    weft::yield();
    sender->run("NOTIFY bells, 'two'");
    got = listener.join();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got.front().payload, "two");
  });
}

TEST(PostgresLinkCalls, CopyIsRefused) {
  with_connection(server().url(), [](connection& session) {
    EXPECT_ANY_THROW(session.run("COPY (SELECT 1) TO STDOUT"));
    EXPECT_FALSE(session.is_open());
  });
}

TEST(PostgresLinkAddress, ShowsNoSecretAndRefusesWhatLibpqCannotRead) {
  const address whole("postgresql://me:hush%20hush@db.example:5433/shop?sslpassword=quiet&connect_timeout=3");
  EXPECT_EQ(whole.shown(), "me@db.example:5433/shop");
  EXPECT_EQ(whole.connect_timeout(), 3s);
  for (const std::string url : {"postgres://me:hush@host:port:hush/x?hush", "postgres://me:hush%zz@host/x",
                                "postgres://me@host/x?hush=hush", "postgres://me:hush@[::1/hush"}) {
    const std::string said = message_of(errc::invalid_argument, [&] { const address bad(url); });
    EXPECT_FALSE(has_text(said, "hush")) << said;
  }
}

TEST(PostgresLinkAddress, WhatCannotBeConnectedToSaysWhyWithoutThePassword) {
  weft::run([] {
    const auto fails = [](const std::string& url) {
      return database_error_of([&] { connection::open(address(url)); });
    };
    const auto nobody = fails("postgres://me:hush@localhost:1/x");
    EXPECT_EQ(nobody.code(), errc::unavailable);
    EXPECT_EQ(nobody.state(), "");
    EXPECT_TRUE(has_text(nobody.message(), "me@localhost:1/x")) << nobody.message();
    EXPECT_FALSE(has_text(nobody.message(), "hush")) << nobody.message();
    const std::string folder = server().url().substr(server().url().find("?host="));
    const auto no_database = fails("postgres://weft:hush@/nothing_here" + folder);
    EXPECT_EQ(no_database.state(), "3D000");
    EXPECT_EQ(no_database.code(), errc::not_found);
    const auto no_role = fails("postgres://stranger:hush@/postgres" + folder);
    EXPECT_EQ(no_role.state(), "28000");
    EXPECT_EQ(no_role.code(), errc::refused);
    for (const auto& one : {no_database, no_role})
      EXPECT_FALSE(has_text(one.message(), "hush")) << one.message();
  });
}

}  // namespace
