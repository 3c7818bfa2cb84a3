#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include <weft/core/clock.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/client.hpp>

#include "http/raw_client.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

void burn(std::chrono::milliseconds time) {
  const steady_time until = steady_clock::now() + time;
  while (steady_clock::now() < until) {
  }
}

TEST(http_overload, more_requests_than_the_bound_are_turned_away) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .requests_max = 2});
    event begun_twice, go_on;
    int begun = 0;
    serving.post("/slow", [&] {
      if (++begun == 2) begun_twice.set();
      go_on.wait();
      return "done";
    });
    serving.get("/health", [] { return "fine"; }, {.is_always_admitted = true});
    serving.start();
    client asking(serving.url());
    scope two;
    for (int i = 0; i < 2; ++i) two.go([&] { EXPECT_EQ(asking.post("/slow", "x").body(), "done"); });
    begun_twice.wait();
    raw_client third(serving);
    third.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    const std::string refused = third.read_until("\r\n\r\n");
    EXPECT_EQ(refused.find("HTTP/1.1 503 "), 0u) << refused;
    EXPECT_NE(refused.find("Retry-After: 1\r\n"), std::string::npos) << refused;
    EXPECT_EQ(asking.get("/health").body(), "fine");
    EXPECT_EQ(serving.statistics().shed_requests, 1u);
    go_on.set();
    two.join();
    third.read_until("the server is busy\n");
    third.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");  // on the same connection
    EXPECT_NE(third.read_until("done").find("200 OK"), std::string::npos);
    EXPECT_EQ(serving.statistics().requests, 4u);
    serving.stop();
  });
}

TEST(http_overload, who_waited_too_long_is_turned_away_while_the_server_is_never_at_rest) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .queue_delay_max = 2ms});
    int served = 0;
    serving.get("/work", [&] {
      burn(4ms);
      ++served;
      return "done";
    });
    serving.get("/health", [] { return "fine"; }, {.is_always_admitted = true});
    serving.start();
    scope clients;
    bool enough = false;
    for (int i = 0; i < 16; ++i) {
      clients.go([&] {
        client asking(serving.url());
        while (!enough) {
          asking.get("/work");
          EXPECT_EQ(asking.get("/health").status(), 200);
        }
      });
    }
    while (serving.statistics().shed_requests < 50) sleep_for(10ms);
    const int before = served;
    while (served < before + 5) sleep_for(10ms);  // others are served meanwhile
    enough = true;
    clients.join();
    // At rest again nobody is turned away.
    const auto shed = serving.statistics().shed_requests;
    client alone(serving.url());
    for (int i = 0; i < 3; ++i) {
      sleep_for(5ms);
      EXPECT_EQ(alone.get("/work").body(), "done");
    }
    EXPECT_EQ(serving.statistics().shed_requests, shed);
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
