#include <cstdio>
#include <optional>
#include <string>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/http/websocket.hpp>

#include "proxy.hpp"

using namespace std::chrono_literals;
namespace http = weft::http;

namespace reverse_proxy {
namespace {

int wrong = 0;

void expect(bool right, const char* what) {
  std::printf("%s: %s\n", what, right ? "yes" : "NO");
  if (!right) ++wrong;
}

/// What stands behind the proxy.
struct site {
  site() {
    server.post("/length",
                [](http::request& in) {
                  std::size_t bytes = 0;
                  for (std::string_view piece; !(piece = in.read_body()).empty();) bytes += piece.size();
                  return std::to_string(bytes);
                },
                {.streams_body = true, .body_bytes_max = 1u << 30});
    server.get("/headers", [](http::request& in) {
      return std::string(in.header("X-Once") ? "X-Once " : "") +
             std::string(in.header("X-Kept").value_or("")) + " for " +
             std::string(in.header("X-Forwarded-For").value_or(""));
    });
    server.get("/endless", [this](http::request&, http::response& out) {
      struct tell {
        weft::event& left;
        ~tell() { left.set(); }
      } const at_the_end{left};
      while (true) out.write(std::string(10'000, 'x'));
    });
    server.get("/slow", [] { weft::sleep_for(1h); });
    server.websocket("/echo", [](http::websocket& socket) {
      while (auto message = socket.read()) socket.send("again " + message->data);
    });
    server.start();
  }
  http::server server{{.listen = "127.0.0.1:0", .handler_timeout = 0ms}};
  weft::event left;
};

std::string upload(http::client& asking, int pieces) {
  const std::string piece(100'000, 'x');
  auto got = asking.upload("POST", "/length", http::body_pieces([&]() -> std::string_view {
                             return pieces-- > 0 ? std::string_view(piece) : std::string_view();
                           }));
  std::string body;
  for (std::string_view part; !(part = got.read_body()).empty();) body += part;
  return body;
}

}  // namespace

int run_demo() {
  std::optional<site> behind(std::in_place);
  upstream to(behind->server.url(), 500ms);
  http::server front{{.listen = "127.0.0.1:0"}};
  add_routes(front, to);
  front.start();
  http::client asking(front.url());

  expect(
      asking.get("/headers", {.headers = {{"X-Kept", "kept"}, {"X-Once", "1"}, {"TE", "trailers"}}}).body() ==
          "X-Once kept for 127.0.0.1",
      "headers go on");
  to.deadline = 60s;
  expect(upload(asking, 100) == "10000000", "an upload of 10 MB is streamed");
  expect(asking.open("GET", "/endless").read_body().size() > 0, "an endless answer begins");
  behind->left.wait();
  expect(true, "who made it is told when the client is gone");
  auto socket = http::websocket::connect("ws" + front.url().substr(4) + "/echo");
  socket.send("hello");
  expect(socket.read()->data == "again hello", "a WebSocket goes through");
  socket.close();
  expect(asking.get("/nothing").status() == 404, "what is not there is told");
  to.deadline = 50ms;
  expect(asking.get("/slow").status() == 504, "a slow server is given up");
  behind->server.stop(0ms);
  to.deadline = 60s;
  expect(asking.get("/headers").status() == 502, "a server that is gone is told");
  front.stop();
  return wrong == 0 ? 0 : 1;
}

}  // namespace reverse_proxy
