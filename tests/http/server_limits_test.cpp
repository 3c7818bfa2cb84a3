#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/client.hpp>

#include "http/raw_client.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

TEST(http_server, slow_heads_are_cut_at_the_limit_while_others_are_served) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .head_timeout = 200ms});
    serving.get("/x", [] { return "served"; });
    serving.start();
    std::vector<std::unique_ptr<raw_client>> slow;
    for (int i = 0; i < 200; ++i) slow.push_back(std::make_unique<raw_client>(serving));
    scope dripping;
    for (auto& one : slow) {
      dripping.go([&one] {
        try {
          for (const char byte : std::string_view("GET /x HTTP/1.1\r\nHost: never ending")) {
            one->send({&byte, 1});
            sleep_for(20ms);
          }
        } catch (const error&) {  // it was cut
        }
      });
    }
    client asking(serving.url());
    for (int i = 0; i < 20; ++i) EXPECT_EQ(asking.get("/x").body(), "served");
    for (auto& one : slow) EXPECT_EQ(count_of(one->read_to_end(), "200 OK"), 0u);  // and it was closed
    dripping.join();
    serving.stop();
  });
}

TEST(http_server, a_head_that_does_not_end_is_answered_with_408) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .head_timeout = 100ms});
    serving.start();
    raw_client slow(serving);
    slow.send("GET /x HTTP/1.1\r\nHost:");
    EXPECT_EQ(slow.read_to_end().find("HTTP/1.1 408 Request Timeout\r\n"), 0u);
    serving.stop();
  });
}

TEST(http_server, a_connection_that_sends_nothing_is_closed_without_a_word) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .head_timeout = 30ms, .idle_timeout = 30ms});
    serving.get("/x", [] { return "served"; });
    serving.start();
    raw_client silent(serving);
    EXPECT_EQ(silent.read_to_end(), "");
    raw_client idle(serving);
    idle.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(idle.read_to_end().ends_with("served"));
    serving.stop();
  });
}

TEST(http_server, a_slow_body_is_cut_at_the_limit) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .body_timeout = 30ms});
    serving.post("/x", [] { return "served"; });
    serving.start();
    raw_client counted(serving);
    counted.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    EXPECT_EQ(counted.read_until("\r\n").find("HTTP/1.1 408 "), 0u);
    raw_client chunked(serving);
    chunked.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe");
    EXPECT_EQ(chunked.read_until("\r\n").find("HTTP/1.1 408 "), 0u);
    serving.stop();
  });
}

TEST(http_server, a_handler_is_cut_at_its_limit_and_the_connection_goes_on) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .handler_timeout = 30ms});
    bool unwound = false;
    serving.get("/slow", [&unwound] {
      struct mark {
        bool& set;
        ~mark() { set = true; }
      } const marking{unwound};
      sleep_for(10s);
      return "never";
    });
    serving.get("/fast", [] { return "served"; });
    serving.start();
    client asking(serving.url());
    EXPECT_EQ(asking.get("/slow").status(), 503);
    EXPECT_TRUE(unwound);
    EXPECT_EQ(asking.get("/fast").body(), "served");
    EXPECT_EQ(asking.statistics().connections, 1u);
    serving.stop();
  });
}

TEST(http_server, a_deadline_inside_a_handler_is_the_handlers_own_error) {
  run([] {
    server serving(on_any_port());
    serving.get("/x", []() -> std::string {
      try {
        with_timeout(5ms, [] { sleep_for(10s); });
      } catch (const deadline_exceeded&) {
        return "in time";
      }
      return "never";
    });
    serving.get("/y", [] { with_timeout(5ms, [] { sleep_for(10s); }); });
    serving.start();
    client asking(serving.url());
    EXPECT_EQ(asking.get("/x").body(), "in time");
    EXPECT_EQ(asking.get("/y").status(), 500);
    serving.stop();
  });
}

TEST(http_server, a_client_that_does_not_read_is_given_up) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .write_timeout = 50ms});
    const std::string large(20'000'000, 'x');
    serving.get("/large", [&large](response& out) { out.body(large); });
    serving.start();
    raw_client unread(serving);
    unread.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    while (serving.statistics().requests == 0) yield();
    while (serving.statistics().connections > 0) sleep_for(5ms);
    serving.stop();
  });
}

TEST(http_server, more_connections_than_the_bound_are_told_503) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .connections_max = 2});
    serving.get("/x", [] { return "served"; });
    serving.start();
    auto first = std::make_unique<raw_client>(serving);
    raw_client second(serving);
    raw_client third(serving);
    const std::string told = third.read_to_end();
    EXPECT_EQ(told.find("HTTP/1.1 503 "), 0u) << told;
    first.reset();
    while (serving.statistics().connections > 1) yield();
    EXPECT_EQ(client(serving.url()).get("/x").body(), "served");
    EXPECT_EQ(serving.statistics().refused_connections, 1u);
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
