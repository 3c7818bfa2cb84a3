#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <optional>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>

#include "http/raw_client.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

TEST(http_server, a_port_in_use_is_an_error_of_start_that_says_what_to_do) {
  run([] {
    server first(on_any_port());
    first.start();
    server second({.listen = first.address().text()});
    try {
      second.start();
      ADD_FAILURE() << "two servers on one port";
    } catch (const error& in_use) {
      EXPECT_EQ(in_use.code(), errc::busy);
      const std::string message = in_use.what();
      EXPECT_NE(message.find(first.address().text() + ": Address already in use"), std::string::npos)
          << message;
      EXPECT_NE(message.find("take another port"), std::string::npos) << message;
    }
    EXPECT_EQ(client(first.url()).get("/").status(), 404);  // the first one is not disturbed
  });
}

TEST(http_server, stop_lets_a_running_request_finish_and_closes_idle_connections) {
  run([] {
    server serving(on_any_port());
    event entered;
    event leave;
    serving.get("/wait", [&] {
      entered.set();
      leave.wait();
      return "finished";
    });
    serving.start();
    raw_client idle(serving);
    raw_client busy(serving);
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    entered.wait();
    auto stopping = go([&] { return serving.stop(10s); });
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_THROW(raw_client late(serving), error);
    EXPECT_FALSE(stopping.done());
    leave.set();
    const std::string got = busy.read_to_end();
    EXPECT_NE(got.find("Connection: close"), std::string::npos) << got;
    EXPECT_TRUE(got.ends_with("finished")) << got;
    EXPECT_TRUE(stopping.join());
    EXPECT_EQ(serving.statistics().connections, 0u);
  });
}

TEST(http_server, stop_is_not_delayed_by_a_connection_that_has_just_come) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .head_timeout = 0ms});
    serving.start();
    auto stopping = go([&] {
      while (serving.statistics().connections == 0) yield();  // its fiber has not begun
      return serving.stop(60s);
    });
    raw_client early(serving);
    EXPECT_TRUE(stopping.join());
    EXPECT_EQ(early.read_to_end(), "");
  });
}

TEST(http_server, stop_cancels_what_does_not_finish_in_time) {
  run([] {
    server serving(on_any_port());
    event entered;
    std::optional<cancel_reason> reason;
    serving.get("/wait", [&] {
      entered.set();
      try {
        sleep_for(1h);
      } catch (const cancelled& stop) {
        reason = stop.reason();
        throw;
      }
    });
    serving.start();
    raw_client busy(serving);
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    entered.wait();
    EXPECT_FALSE(serving.stop(10ms));
    EXPECT_EQ(reason, cancel_reason::shutdown);
    EXPECT_EQ(busy.read_to_end(), "");
  });
}

TEST(http_server, wait_returns_when_it_is_stopped) {
  run([] {
    server serving(on_any_port());
    auto running = go([&] { serving.run(); });
    yield();
    EXPECT_FALSE(running.done());
    serving.stop();
    running.join();
    EXPECT_TRUE(serving.stop());  // again: no effect
  });
}

TEST(http_server, its_end_takes_its_fibers_along) {
  run([] {
    const std::size_t before = statistics().fibers;
    {
      server serving(on_any_port());
      serving.get("/wait", [] { sleep_for(1h); });
      serving.start();
      raw_client busy(serving);
      busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
      while (serving.statistics().requests == 0) yield();
    }
    yield();
    EXPECT_EQ(statistics().fibers, before);
    const server never_started(on_any_port());
  });
}

}  // namespace
}  // namespace weft::http
