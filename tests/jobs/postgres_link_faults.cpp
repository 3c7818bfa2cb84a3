#include <gtest/gtest.h>

#include <weft/context/cancellation.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>

#include "jobs/postgres/link/connection_pool.hpp"
#include "support/pgbouncer_server.hpp"
#include "support/postgres_link.hpp"
#include "support/postgres_proxy.hpp"
#include "support/postgres_server.hpp"

// What becomes of calls when the way to the server, or the server, breaks; and a pooler in between.

namespace {

using namespace weft::jobs::postgres;
using namespace std::chrono_literals;
using weft::errc;
using weft::no_deadline;
using weft_test::database_error_of;
using weft_test::postgres_proxy;
using weft_test::proxy_fault;
using weft_test::with_connection;

const weft_test::postgres_server& server() {
  static const weft_test::postgres_server one;
  return one;
}

std::int64_t rows_with(const std::string& word) {
  std::int64_t count = 0;
  with_connection(server().url(), [&](connection& session) {
    parameters with;
    with.text(word);
    count = session.run("SELECT count(*) FROM words WHERE word = $1", with).integer(0, 0);
  });
  return count;
}

class PostgresLinkFaults : public testing::TestWithParam<postgres_proxy::way> {
 protected:
  PostgresLinkFaults() {
    with_connection(server().url(), [](connection& session) {
      session.run_script("CREATE TABLE IF NOT EXISTS words (word text); DELETE FROM words");
    });
  }

  void insert_is_in_doubt(proxy_fault fault, const std::string& word) {
    with_connection(proxy_.url(), [&](connection& session) {
      parameters with;
      with.text(word);
      proxy_.set_fault(fault, word);
      const auto lost = database_error_of([&] { session.run("INSERT INTO words VALUES ($1)", with); });
      proxy_.wait_for_fault();
      EXPECT_EQ(lost.code(), errc::unavailable);
      EXPECT_TRUE(lost.is_in_doubt());
      EXPECT_FALSE(session.is_open());
    });
  }

  postgres_proxy proxy_{server().folder(), GetParam()};
};

TEST_P(PostgresLinkFaults, ACallWhoseAnswerIsLostIsInDoubtAndDone) {
  insert_is_in_doubt(proxy_fault::cut_after, "answer lost");
  EXPECT_EQ(rows_with("answer lost"), 1);
}

TEST_P(PostgresLinkFaults, ACallThatDidNotArriveIsInDoubtAndNotDone) {
  insert_is_in_doubt(proxy_fault::cut_before, "call lost");
  EXPECT_EQ(rows_with("call lost"), 0);
}

TEST_P(PostgresLinkFaults, AnAnswerThatIsHeldUpHoldsUpNobodyElse) {
  weft::run([&] {
    connection_pool pool{address(proxy_.url())};
    proxy_.set_fault(proxy_fault::hold_answer, "slow word");
    auto slow = weft::go(
        [&] { return pool.lease(no_deadline)->run("SELECT 'slow word'::text").text(0, 0) == "slow word"; });
    weft::blocking([&] { proxy_.wait_for_fault(); });
    EXPECT_EQ(pool.lease(no_deadline)->run("SELECT 1::bigint").integer(0, 0), 1);
    proxy_.let_go();
    EXPECT_TRUE(slow.join());
  });
}

// Of the proxy, which the tests of several processes use while some of them are stopped.
TEST_P(PostgresLinkFaults, AClientThatReadsNothingHoldsUpNobodyElse) {
  constexpr std::size_t count = 3000;
  weft::run([&] {
    const auto deaf = connection::open(address(proxy_.url()));
    deaf->run("LISTEN loud");
    const auto other = connection::open(address(proxy_.url()));
    const auto loud = connection::open(address(server().url()));
    loud->run("SELECT count(pg_notify('loud', repeat('x', 7000) || n)) FROM generate_series(1, 3000) n");
    parameters whose;
    whose.bigint(deaf->server_pid());
    while (loud->run("SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'ClientWrite'",
                     whose)
               .integer(0, 0) == 0) {
      weft::sleep_for(1ms);
    }
    std::int64_t answer = 0;
    weft::move_on_after(30s, [&] { answer = other->run("SELECT 1::bigint").integer(0, 0); });
    EXPECT_EQ(answer, 1);
    std::size_t heard = 0;
    while (answer == 1 && heard < count) heard += deaf->wait_notifications(no_deadline).size();
  });
}

TEST_P(PostgresLinkFaults, ASessionThatWasCutWhileUnusedIsReplaced) {
  weft::run([&] {
    connection_pool pool{address(proxy_.url())};
    const auto pid = [&] { return pool.lease(no_deadline)->server_pid(); };
    const auto first = pid();
    EXPECT_EQ(pid(), first);
    proxy_.cut_all();
    while (pid() == first) weft::sleep_for(1ms);  // until the cut has arrived
    EXPECT_EQ(pool.lease(no_deadline)->run("SELECT 1::bigint").integer(0, 0), 1);
  });
}

TEST_P(PostgresLinkFaults, WhileTheServerIsAwayALeaseTriesAgain) {
  weft::run([&] {
    connection_pool pool{address(proxy_.url())};
    proxy_.refuse(true);
    auto session = weft::go([&] { return pool.lease(no_deadline)->run("SELECT 1::bigint").integer(0, 0); });
    while (proxy_.clients() < 3) weft::sleep_for(1ms);
    proxy_.refuse(false);
    EXPECT_EQ(session.join(), 1);
  });
}

INSTANTIATE_TEST_SUITE_P(Ways, PostgresLinkFaults,
                         testing::Values(postgres_proxy::way::unix_socket, postgres_proxy::way::tcp),
                         [](const auto& way) {
                           return way.param == postgres_proxy::way::tcp ? "Tcp" : "Unix";
                         });

TEST(PostgresLinkRestart, ACallIsLostWithItsServerAndTheNextWaitsForIt) {
  weft_test::postgres_server mortal;
  weft::run([&] {
    connection_pool pool{address(mortal.url())};
    const auto control = connection::open(address(mortal.url()));
    auto asleep = weft::go([&] { pool.lease(no_deadline)->run("SELECT pg_sleep(3600)"); });
    while (control
               ->run("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = "
                     "'active'")
               .integer(0, 0) == 0) {
      weft::sleep_for(1ms);
    }
    weft::blocking([&] { mortal.stop(); });
    const auto lost = database_error_of([&] { asleep.join(); });
    EXPECT_EQ(lost.code(), errc::unavailable);
    EXPECT_TRUE(lost.is_in_doubt());
    auto next = weft::go([&] { return pool.lease(no_deadline)->run("SELECT 1::bigint").integer(0, 0); });
    weft::blocking([&] { mortal.start(); });
    EXPECT_EQ(next.join(), 1);
  });
}

TEST(PostgresLinkPooler, ManyClientsShareFewSessionsAndNothingIsPrepared) {
  const weft_test::pgbouncer_server pooler(server().folder());
  weft::run([&] {
    weft::scope all;
    for (int client = 0; client < 20; ++client) {
      all.go([&, client] {
        const auto session = connection::open(address(pooler.url()));
        EXPECT_TRUE(session->is_pooled());
        EXPECT_EQ(session->server_pid(), 0);
        for (int i = 0; i < 20; ++i) {
          parameters with;
          with.bigint(client).bigint(i);
          EXPECT_EQ(session->run("SELECT $1 * 100 + $2", with).integer(0, 0), client * 100 + i);
        }
        session->run("BEGIN");
        const auto pid = session->run("SELECT pg_backend_pid()").integer(0, 0);
        EXPECT_EQ(session->run("SELECT pg_backend_pid()").integer(0, 0), pid);
        EXPECT_TRUE(session->is_in_transaction());
        session->run("COMMIT");
      });
    }
    all.join();
    const auto session = connection::open(address(pooler.url()));
    EXPECT_EQ(session->run("SELECT count(*) FROM pg_prepared_statements").integer(0, 0), 0);
  });
}

TEST(PostgresLinkPooler, ACancelledStatementEndsOnTheServer) {
  const weft_test::pgbouncer_server pooler(server().folder());
  weft::run([&] {
    connection_pool pool{address(pooler.url())};
    const auto control = connection::open(address(server().url()));
    const auto asleep = [&] {
      return control
          ->run(
              "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(7200%' AND state = "
              "'active'")
          .integer(0, 0);
    };
    auto sleeper = weft::go([&] { pool.lease(no_deadline)->run("SELECT pg_sleep(7200)"); });
    while (asleep() == 0) weft::sleep_for(1ms);
    sleeper.cancel();
    EXPECT_THROW(sleeper.join(), weft::cancelled);
    while (asleep() != 0) weft::sleep_for(1ms);  // pgbouncer may end the client before the server has ended
    EXPECT_EQ(pool.lease(no_deadline)->run("SELECT 1::bigint").integer(0, 0), 1);
  });
}

}  // namespace
