#include <gtest/gtest.h>

#include <curl/curl.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/latch.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/net/listener.hpp>

#include "support/postgres_server.hpp"
#include "support/redis_server.hpp"

// Client libraries as Debian ships them, with their blocking calls, in one thread. That all wait at once is
// seen at the server, which lets none go on before it has seen the last one.

namespace {

using namespace std::chrono_literals;

constexpr int clients = 100;
const weft::run_options deep_stacks{.stack_bytes = 256 * 1024};

// libpq

using pg_connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using pg_result = std::unique_ptr<PGresult, decltype(&PQclear)>;

pg_connection connect_to(const weft_test::postgres_server& server) {
  pg_connection made(PQconnectdb(server.connection().c_str()), &PQfinish);
  EXPECT_EQ(PQstatus(made.get()), CONNECTION_OK) << PQerrorMessage(made.get());
  return made;
}

std::string ask(const pg_connection& over, const char* statement) {
  const pg_result result(PQexec(over.get(), statement), &PQclear);
  EXPECT_EQ(PQresultStatus(result.get()), PGRES_TUPLES_OK) << PQerrorMessage(over.get());
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

/// A query that is cancelled while the server works at it.
void cancel_one(const weft_test::postgres_server& server, const pg_connection& control) {
  auto task = weft::go([&] {
    const pg_connection own = connect_to(server);
    const pg_result result(PQexec(own.get(), "SELECT pg_sleep(1000)"), &PQclear);
    EXPECT_NE(PQresultStatus(result.get()), PGRES_TUPLES_OK);
    EXPECT_NE(std::string(PQerrorMessage(own.get())).find(strerror(ECANCELED)), std::string::npos)
        << PQerrorMessage(own.get());
  });
  const char* const sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
  while (ask(control, sleeping) != "1") weft::sleep_for(1ms);
  task.cancel();
  task.join();
}

TEST(hooked_clients, a_hundred_libpq_queries_wait_at_once_and_one_can_be_cancelled) {
  const weft_test::postgres_server server;
  weft::run(
      [&] {
        const pg_connection control = connect_to(server);
        ask(control, "SELECT pg_advisory_lock(7)");
        weft::scope all;
        weft::latch connected(clients + 1);
        for (int n = 0; n < clients; ++n) {
          all.go([&] {
            const pg_connection own = connect_to(server);
            connected.arrive_and_wait();
            ask(own, "SELECT pg_advisory_lock_shared(7)");
            ask(own, "SELECT pg_advisory_unlock_shared(7)");
            // All at once, which one after the other would take ten seconds.
            ask(own, "SELECT pg_sleep(0.1)");
          });
        }
        connected.arrive_and_wait();
        const char* const waiting =
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        while (ask(control, waiting) != std::to_string(clients)) weft::sleep_for(1ms);
        const auto begin = weft::steady_clock::now();
        ask(control, "SELECT pg_advisory_unlock(7)");
        all.join();
        EXPECT_LT(weft::steady_clock::now() - begin, 9s);
        cancel_one(server, control);
      },
      deep_stacks);
}

// hiredis

using redis_connection = std::unique_ptr<redisContext, decltype(&redisFree)>;
using redis_reply = std::unique_ptr<redisReply, decltype(&freeReplyObject)>;

redis_connection connect_to(const weft_test::redis_server& server) {
  redis_connection made(redisConnectUnix(server.path().c_str()), &redisFree);
  EXPECT_EQ(made->err, 0) << made->errstr;
  return made;
}

redis_reply ask(const redis_connection& over, const char* command) {
  redis_reply got(static_cast<redisReply*>(redisCommand(over.get(), command)), &freeReplyObject);
  EXPECT_NE(got, nullptr) << over->errstr;
  return got;
}

TEST(hooked_clients, a_hundred_hiredis_commands_wait_at_once) {
  const weft_test::redis_server server;
  weft::run(
      [&] {
        weft::scope all;
        int came = 0;
        for (int n = 0; n < clients; ++n) {
          all.go([&] {
            const redis_connection own = connect_to(server);
            const redis_reply got = ask(own, "BLPOP list 0");
            ASSERT_EQ(got->type, REDIS_REPLY_ARRAY);
            EXPECT_STREQ(got->element[1]->str, "value");
            ++came;
          });
        }
        const redis_connection control = connect_to(server);
        const std::string wanted = "blocked_clients:" + std::to_string(clients) + "\r";
        while (std::string(ask(control, "INFO clients")->str).find(wanted) == std::string::npos)
          weft::sleep_for(1ms);
        EXPECT_EQ(came, 0);
        for (int n = 0; n < clients; ++n) ask(control, "RPUSH list value");
        all.join();
        EXPECT_EQ(came, clients);
      },
      deep_stacks);
}

// libcurl

/// Answers when all clients have asked, in pieces.
void answer_slowly(weft::net::stream over, weft::latch& asked) {
  std::array<char, 4096> head;
  over.read_some(head);
  asked.arrive_and_wait();
  over.write_all("HTTP/1.1 200 OK\r\nContent-Length: 3000\r\nConnection: close\r\n\r\n");
  for (int n = 0; n < 3; ++n) {
    over.write_all(std::string(1000, static_cast<char>('a' + n)));
    weft::sleep_for(1ms);
  }
  over.shutdown_write();
}

std::string download(const std::string& url) {
  std::string body;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> own(curl_easy_init(), &curl_easy_cleanup);
  curl_easy_setopt(own.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(own.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(own.get(), CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(
      own.get(), CURLOPT_WRITEFUNCTION,
      +[](const char* piece, std::size_t size, std::size_t count, std::string* into) {
        into->append(piece, size * count);
        return size * count;
      });
  EXPECT_EQ(curl_easy_perform(own.get()), CURLE_OK);
  return body;
}

TEST(hooked_clients, a_hundred_libcurl_downloads_wait_at_once) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  weft::run(
      [&] {
        weft::net::listener listening(weft::net::endpoint::tcp("127.0.0.1", 0));
        // A name, so that libcurl looks it up, on threads of its own.
        const std::string url = "http://localhost:" + std::to_string(listening.address().port()) + "/";
        const std::string expected = std::string(1000, 'a') + std::string(1000, 'b') + std::string(1000, 'c');
        weft::scope all;
        weft::latch asked(clients);
        for (int n = 0; n < clients; ++n) {
          all.go([&] { EXPECT_TRUE(download(url) == expected); });
        }
        for (int n = 0; n < clients; ++n) {
          all.go([over = listening.accept(), &asked]() mutable { answer_slowly(std::move(over), asked); });
        }
        all.join();
      },
      deep_stacks);
  curl_global_cleanup();
}

}  // namespace
