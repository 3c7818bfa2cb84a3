#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>

#include "jobs/postgres/link/connection_pool.hpp"
#include "jobs/postgres/link/store_thread.hpp"
#include "jobs/request_line.hpp"
#include "support/postgres_link.hpp"
#include "support/postgres_server.hpp"

// Callers of many threads and fibers, the store's thread, and its sessions.

namespace {

using namespace weft::jobs::postgres;
using namespace std::chrono_literals;
using weft::errc;
using weft::no_deadline;
using weft_test::expect_error;

const weft_test::postgres_server& server() {
  static const weft_test::postgres_server one;
  return one;
}

struct sum_request : weft::jobs::parked_request {
  std::int64_t number = 0;
  std::int64_t twice = 0;
};

using sum_line = weft::jobs::request_line<sum_request>;

/// Doubles what is asked, by the server, as many in a call as wait.
void serve_sums(sum_line& line, connection_pool& pool) {
  std::vector<sum_request*> taken;
  taken.reserve(512);
  while (line.wait(no_deadline)) {
    line.take(taken);
    try {
      if (taken.empty()) continue;
      parameters with;
      with.bigints(taken, [](const sum_request* one) { return one->number; });
      const auto session = pool.lease(no_deadline);
      const result got =
          session->run("SELECT n * 2 FROM unnest($1) WITH ORDINALITY t(n, place) ORDER BY place", with);
      for (std::size_t i = 0; i < taken.size(); ++i) taken[i]->twice = got.integer(i, 0);
    } catch (...) {
      for (sum_request* const one : taken) one->error = std::current_exception();
    }
    line.finish(taken);
  }
}

TEST(PostgresLinkThreads, AThousandCallersOfThreadsAndFibersGetTheirOwnAnswers) {
  sum_line line;
  store_thread thread("test-store");
  connection_pool pool(address(server().url()), {.connections_max = 2});
  for (int lane = 0; lane < 2; ++lane) thread.start("lane", [&] { serve_sums(line, pool); });
  std::atomic<int> wrong = 0;
  const auto ask = [&](std::int64_t number) {
    sum_request asked;
    asked.number = number;
    line.ask(asked);
    if (asked.twice != 2 * number) ++wrong;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      weft::run([&] {
        weft::scope all;
        for (int n = 0; n < 125; ++n) all.go([&, n] { ask(1000 * i + n); });
        all.join();
      });
    });
  }
  for (int i = 0; i < 24; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 10; ++n) ask(-1000 * i - n);
    });
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(wrong, 0);
  line.close();
  thread.call([&] { pool.close_idle(); });
  thread.stop();
}

TEST(PostgresLinkThreads, ACallRunsInTheCallersContextAndGivesItsResult) {
  store_thread thread("test-store");
  EXPECT_EQ(thread.call([] { return 7; }), 7);
  expect_error(errc::not_found, [&] { thread.call([] { throw weft::error(errc::not_found, "not here"); }); });
  const weft::steady_time until = weft::deadline_after(1h);
  weft::with_deadline(until, [&] { EXPECT_EQ(thread.call([] { return weft::deadline(); }), until); });
  EXPECT_THROW(weft::with_timeout(1ms, [&] { thread.call([] { weft::sleep_for(1h); }); }),
               weft::deadline_exceeded);
}

TEST(PostgresLinkThreads, AStoppedThreadCancelsWhatDoesNotEndAndRefusesTheRest) {
  store_thread thread("test-store");
  connection_pool pool(address(server().url()));
  weft::event sleeps;
  std::atomic<bool> cancelled = false;
  std::thread caller([&] {
    EXPECT_THROW(thread.call([&] {
      const auto session = pool.lease(no_deadline);
      sleeps.set();
      session->run("SELECT pg_sleep(3600)");
    }),
                 weft::cancelled);
    cancelled = true;
  });
  sleeps.wait();
  thread.stop(1ms);
  caller.join();
  EXPECT_TRUE(cancelled);
  expect_error(errc::closed, [&] { thread.call([] {}); });
  thread.stop();
}

TEST(PostgresLinkThreads, CallersThatWaitWhenTheLineIsAbandonedAreToldWhy) {
  sum_line line;
  constexpr int callers = 6;  // more than are woken at once
  std::atomic<int> told = 0;
  weft::run([&] {
    weft::scope all;
    for (int i = 0; i < callers; ++i) {
      all.go([&] {
        sum_request asked;
        expect_error(
            errc::unavailable, [&] { line.ask(asked); }, "gone");
        ++told;
      });
    }
    weft::yield();
    line.abandon(std::make_exception_ptr(weft::error(errc::unavailable, "the server is gone")));
    all.join();
    sum_request late;
    expect_error(errc::closed, [&] { line.ask(late); });
  });
  EXPECT_EQ(told, callers);
}

TEST(PostgresLinkThreads, ACallerIsWithdrawnBeforeItsTurnAndNotAfter) {
  sum_line line;
  weft::run([&] {
    sum_request first;
    auto withdrawn = weft::go([&] { line.ask(first); });
    weft::yield();
    withdrawn.cancel();
    EXPECT_THROW(withdrawn.join(), weft::cancelled);
    std::vector<sum_request*> taken;
    taken.reserve(4);
    line.take(taken);
    EXPECT_TRUE(taken.empty());

    sum_request second;
    auto served = weft::go([&] { line.ask(second); });
    weft::yield();
    line.take(taken);
    ASSERT_EQ(taken.size(), 1U);
    served.cancel();
    weft::yield();
    line.finish(*taken.front());
    EXPECT_NO_THROW(served.join());
  });
}

TEST(PostgresLinkPool, ADeadSessionIsReplacedAndAnOpenTransactionUndone) {
  weft::run([] {
    connection_pool pool(address(server().url()), {.connections_max = 1});
    const auto control = connection::open(address(server().url()));
    std::int64_t first = 0;
    {
      const auto session = pool.lease(no_deadline);
      first = session->server_pid();
      session->run("CREATE TABLE undone (n bigint)");
      session->run_script("BEGIN; INSERT INTO undone VALUES (1)");
    }
    {
      const auto session = pool.lease(no_deadline);
      EXPECT_EQ(session->server_pid(), first);
      EXPECT_FALSE(session->is_in_transaction());
      EXPECT_EQ(session->run("SELECT count(*) FROM undone").integer(0, 0), 0);
      expect_error(
          errc::timed_out, [&] { (void)pool.lease(weft::deadline_after(1ms)); }, "all 1 connections");
    }
    control->run("SELECT pg_terminate_backend(" + std::to_string(first) + ", 60000)");
    const auto session = pool.lease(no_deadline);
    EXPECT_NE(session->server_pid(), first);
    EXPECT_EQ(session->run("SELECT 1::bigint").integer(0, 0), 1);
  });
}

TEST(PostgresLinkPool, AServerThatComesLaterIsWaitedFor) {
  weft::run([] {
    connection_pool nobody(address("postgres://weft@127.0.0.1:1/x"));
    const auto refused =
        weft_test::database_error_of([&] { (void)nobody.lease(weft::deadline_after(100ms)); });
    EXPECT_EQ(refused.code(), errc::unavailable);
    connection_pool wrong(address("postgres://stranger@/x?host=" + server().folder()));
    expect_error(errc::refused, [&] { (void)wrong.lease(no_deadline); });
    EXPECT_THROW(weft::with_timeout(50ms, [&] { (void)nobody.lease(no_deadline); }), weft::deadline_exceeded);
  });
}

}  // namespace
