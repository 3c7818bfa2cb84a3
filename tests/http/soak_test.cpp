// All kinds of clients at once for some time: what they leave behind does not grow.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include <weft/core/clock.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/client.hpp>
#include <weft/http/compression.hpp>
#include <weft/http/event_stream.hpp>
#include <weft/http/server.hpp>
#include <weft/log/sink.hpp>
#include <weft/process/self.hpp>

#include "http/raw_client.hpp"
#include "support/memory.hpp"
#include "support/sanitized.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

/// WEFT_SOAK_SECONDS in the environment: that long.
std::chrono::seconds soak_time() {
  const char* const asked = std::getenv("WEFT_SOAK_SECONDS");
  return asked == nullptr ? 2s : std::chrono::seconds(std::strtol(asked, nullptr, 10));
}

void add_routes(server& to) {
  to.use(compress()).use(decompress());
  to.get("/hello", [] { return "hello"; });
  to.get("/page", [] { return std::string(50'000, 'p'); });
  to.post("/body", [](request& in) { return std::to_string(in.body().size()); });
  to.get("/pieces", [](response& out) {
    for (int i = 0; i < 100; ++i) out.write(std::string(10'000, 'x'));
  });
  to.websocket("/echo",
               [](websocket& socket) {
                 while (auto message = socket.read()) socket.send(message->data);
               },
               {.compression = websocket_compression{}});
  to.get("/events",
         [](request& in, response& out) {
           event_stream events(in, out);
           while (events.send("event") && events.wait_for(1ms)) {
           }
         },
         {.handler_timeout = 0ms});
}

/// What the clients do until `end`, each again and again.
class mixed_load {
 public:
  mixed_load(const server& to, steady_time end) : to_(to), end_(end) {}

  void run() {
    scope clients;
    clients.go([this] { keep_connections(); });
    clients.go([this] { connect_anew(); });
    clients.go([this] { send_bodies(); });
    clients.go([this] { go_away(); });
    clients.go([this] { talk(); });
    clients.go([this] { listen(); });
    clients.join();
  }
  std::size_t done() const noexcept { return done_; }

 private:
  /// Not as fast as it can: other tests run beside it.
  bool goes_on() {
    if (done_++ > 0) sleep_for(5ms);
    return steady_clock::now() < end_;
  }
  void keep_connections() {
    client asking(to_.url());
    while (goes_on()) {
      EXPECT_EQ(asking.get("/hello").body(), "hello");
      EXPECT_EQ(asking.get("/page", {.headers = {{"Accept-Encoding", "gzip"}}}).header("Content-Encoding"),
                "gzip");
    }
  }
  void connect_anew() {
    while (goes_on()) EXPECT_EQ(client(to_.url()).get("/hello").body(), "hello");
  }
  void send_bodies() {
    client asking(to_.url());
    while (goes_on()) EXPECT_EQ(asking.post("/body", std::string(100'000, 'b')).body(), "100000");
  }
  /// In the head, in the body, in the answer, and with a request that is refused.
  void go_away() {
    for (int i = 0; goes_on(); ++i) {
      raw_client leaving(to_);
      switch (i % 4) {
        case 0:
          leaving.send("GET /hello HTTP/1.1\r\nHo");
          break;
        case 1:
          leaving.send("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\nbegun");
          break;
        case 2:
          leaving.send("GET /pieces HTTP/1.1\r\nHost: a\r\n\r\n");
          leaving.read_until("\r\n\r\n");
          break;
        default:
          EXPECT_EQ(leaving.ask("hello\r\n\r\n").find("HTTP/1.1 400 "), 0u);
      }
    }
  }
  void talk() {
    while (goes_on()) {
      auto socket = websocket::connect("ws://" + to_.address().text() + "/echo",
                                       {.compression = websocket_compression{}});
      for (int i = 0; i < 5; ++i) {
        socket.send(std::string(1000, 'w'));
        EXPECT_EQ(socket.read().value_or(websocket_message{}).data.size(), 1000u);
      }
      socket.close();
    }
  }
  void listen() {
    while (goes_on()) {
      raw_client listening(to_);
      listening.send("GET /events HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=0\r\n\r\n");
      for (int i = 0; i < 3; ++i) listening.read_until("data: event\n\n");
    }
  }

  const server& to_;
  steady_time end_;
  std::size_t done_ = 0;
};

TEST(http_soak, memory_and_descriptors_do_not_grow) {
  const log::level level = log::current_level();
  log::set_level(log::level::critical);  // of clients that went in the middle of an answer
  const auto before = process::open_descriptors();
  std::size_t done = 0;
  run([&done] {
    server serving(on_any_port());
    add_routes(serving);
    serving.start();
    mixed_load warm_up(serving, steady_clock::now() + soak_time() / 4);
    warm_up.run();
    const std::size_t warm = resident_bytes();
    mixed_load load(serving, steady_clock::now() + soak_time());
    load.run();
    const std::size_t now = resident_bytes();
    if (!sanitized) {  // they keep what was freed
      EXPECT_LT(now, warm + (16u << 20));
    }
    while (serving.statistics().connections > 0) sleep_for(5ms);
    RecordProperty("grown_bytes", std::to_string(now > warm ? now - warm : 0));
    done = load.done();
    serving.stop();
  });
  EXPECT_EQ(process::open_descriptors(), before);
  EXPECT_GT(done, 6u);
  log::set_level(level);
}

}  // namespace
}  // namespace weft::http
