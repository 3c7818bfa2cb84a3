// Figures of hooked calls, which are hooked for a whole program; and, built without the library, of weft's
// own.
//
// Usage: PROGRAM plain|own            CPU nanoseconds for a round trip between two fibers over a Unix socket
//        PROGRAM pg|redis|curl COUNT  seconds for COUNT clients of a blocking library, each of which waits
//        0.1 s
//        PROGRAM pg-threads COUNT     the same with a thread for each

#include <curl/curl.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/latch.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/net/listener.hpp>

#include "support/measure.hpp"
#include "support/postgres_server.hpp"
#include "support/redis_server.hpp"

namespace {

using namespace std::chrono_literals;
using weft::net::stream;

constexpr std::size_t trips = 20'000;
constexpr std::size_t message_bytes = 64;
using message = std::array<char, message_bytes>;

std::array<int, 2> connected() {
  std::array<int, 2> both{};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, both.data()) != 0) std::abort();
  return both;
}

/// What two fibers take that say `trips` times, in turn, what they have.
double trip_ns(const std::function<void()>& ask, const std::function<void()>& answer) {
  return weft::bench::cpu_ns_per(trips, [&] {
    auto answering = weft::go([&] { weft::bench::repeat(trips, answer); });
    weft::bench::repeat(trips, ask);
    answering.join();
  });
}

double plain_ns() {
  const auto both = connected();
  message near{};
  message far{};
  const auto put = [](int fd, const message& what) {
    if (write(fd, what.data(), what.size()) != static_cast<ssize_t>(what.size())) std::abort();
  };
  const auto get = [](int fd, message& into) {
    if (read(fd, into.data(), into.size()) != static_cast<ssize_t>(into.size())) std::abort();
  };
  return trip_ns([&] { put(both[0], near), get(both[0], near); },
                 [&] { get(both[1], far), put(both[1], far); });
}

double own_ns() {
  const auto both = connected();
  stream here{weft::unique_fd(both[0])};
  stream there{weft::unique_fd(both[1])};
  message near{};
  message far{};
  const auto put = [](stream& over, const message& what) { over.write_all({what.data(), what.size()}); };
  return trip_ns([&] { put(here, near), here.read_some(near); },
                 [&] { there.read_some(far), put(there, far); });
}

/// Seconds from the moment when `count` clients are prepared until each has done its part.
double clients_s(std::size_t count, const std::function<void(const std::function<void()>& begin)>& client) {
  weft::latch prepared(count + 1);
  weft::scope all;
  for (std::size_t n = 0; n < count; ++n) {
    all.go([&] { client([&] { prepared.arrive_and_wait(); }); });
  }
  return weft::bench::seconds([&] {
    prepared.arrive_and_wait();
    all.join();
  });
}

/// The same with a thread for each, outside a run.
double threads_s(std::size_t count, const std::function<void(const std::function<void()>& begin)>& client) {
  weft::latch prepared(count + 1);
  std::vector<std::thread> all;
  for (std::size_t n = 0; n < count; ++n) {
    all.emplace_back([&] { client([&] { prepared.arrive_and_wait(); }); });
  }
  return weft::bench::seconds([&] {
    prepared.arrive_and_wait();
    for (std::thread& one : all) one.join();
  });
}

auto pg_client(const weft_test::postgres_server& server) {
  return [&server](const std::function<void()>& begin) {
    PGconn* const own = PQconnectdb(server.connection().c_str());
    const auto ask = [own](const char* statement) {
      PGresult* const result = PQexec(own, statement);
      if (PQresultStatus(result) != PGRES_TUPLES_OK) std::abort();
      PQclear(result);
    };
    ask("SELECT pg_sleep(0)");  // the server's process reads its catalogues
    begin();
    ask("SELECT pg_sleep(0.1)");
    PQfinish(own);
  };
}

double redis_s(const weft_test::redis_server& server, std::size_t count) {
  return clients_s(count, [&](const auto& begin) {
    redisContext* const own = redisConnectUnix(server.path().c_str());
    begin();
    void* const reply = redisCommand(own, "BLPOP nothing 0.1");
    if (reply == nullptr) std::abort();
    freeReplyObject(reply);
    redisFree(own);
  });
}

/// Answers after 0.1 s.
void answer(stream over) {
  std::array<char, 4096> head;
  over.read_some(head);
  weft::sleep_for(100ms);
  over.write_all("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
}

double curl_s(std::size_t count) {
  weft::net::listener listening(weft::net::endpoint::tcp("127.0.0.1", 0));
  const std::string url = "http://127.0.0.1:" + std::to_string(listening.address().port()) + "/";
  auto server = weft::go([&] {
    weft::scope all;
    for (std::size_t n = 0; n < count; ++n) {
      all.go([over = listening.accept()]() mutable { answer(std::move(over)); });
    }
    all.join();
  });
  const double result = clients_s(count, [&](const auto& begin) {
    CURL* const own = curl_easy_init();
    curl_easy_setopt(own, CURLOPT_URL, url.c_str());
    curl_easy_setopt(
        own, CURLOPT_WRITEFUNCTION, +[](char*, std::size_t size, std::size_t n, void*) { return size * n; });
    begin();
    if (curl_easy_perform(own) != CURLE_OK) std::abort();
    curl_easy_cleanup(own);
  });
  server.join();
  return result;
}

double figure(const std::string& kind, std::size_t count) {
  double result = 0;
  const auto in_run = [&](const std::function<double()>& measure) {
    weft::run([&] { result = measure(); }, {.stack_bytes = 256 * 1024});
    return result;
  };
  if (kind == "plain") return in_run(plain_ns);
  if (kind == "own") return in_run(own_ns);
  if (kind == "curl") return in_run([&] { return curl_s(count); });
  if (kind == "pg-threads") {
    const weft_test::postgres_server server;
    return threads_s(count, pg_client(server));
  }
  if (kind == "pg") {
    const weft_test::postgres_server server;
    return in_run([&] { return clients_s(count, pg_client(server)); });
  }
  if (kind != "redis") std::abort();
  const weft_test::redis_server server;
  return in_run([&] { return redis_s(server, count); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::printf("%.6f\n", figure(argv[1], argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0));
}
