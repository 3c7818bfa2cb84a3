// weft_bench_http_server KIND: serves hello, an echo over WebSockets, or busy a millisecond of work, on a
// port that it prints, until its standard input ends.

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/server.hpp>
#include <weft/http/websocket.hpp>
#include <weft/net/tls/context.hpp>

#include "http/raw_epoll_server.hpp"
#ifdef WEFT_BENCH_LIBURING
#include "http/raw_uring_server.hpp"
#endif
#include "support/certificates.hpp"

namespace {

void tell(int port) {
  std::printf("%d\n", port);
  std::fflush(stdout);
}

int serve_weft(const std::optional<weft::net::tls::server_context>& tls) {
  return weft::run([&] {
    weft::http::server server{{.listen = "127.0.0.1:0", .tls = tls}};
    server.get("/hello/{name}", [](weft::http::response& out) { out.body("Hello world!"); });
    server.post("/slow", [] {});
    server.get("/large",
               [](weft::http::response& out) {
                 const std::string piece(16 * 1024, 'x');
                 while (true) out.write(piece);  // until the client has gone
               },
               {.handler_timeout = std::chrono::milliseconds(0)});
    server.start();
    tell(server.address().port());
    weft::wait_readable(STDIN_FILENO);
    server.stop(std::chrono::milliseconds(0));
  });
}

int serve_weft_echo() {
  return weft::run([] {
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    server.websocket("/echo", [](weft::http::websocket& socket) {
      while (auto message = socket.read()) socket.send(message->data);
    });
    server.start();
    tell(server.address().port());
    weft::wait_readable(STDIN_FILENO);
    server.stop(std::chrono::milliseconds(0));
  });
}

void work_for(std::chrono::microseconds time) {
  timespec begin{}, now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  do {
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  } while (std::chrono::seconds(now.tv_sec - begin.tv_sec) +
               std::chrono::nanoseconds(now.tv_nsec - begin.tv_nsec) <
           time);
}

int serve_busy() {
  using namespace std::chrono_literals;
  return weft::run([] {
    weft::http::server server{{.listen = "127.0.0.1:0", .queue_delay_max = 1ms}};
    server.get("/work", [] {
      work_for(1ms);
      return "done\n";
    });
    server.start();
    tell(server.address().port());
    weft::wait_readable(STDIN_FILENO);
    server.stop(0ms);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc > 1 ? argv[1] : "";
  if (kind == "weft") return serve_weft({});
  if (kind == "weft-tls") {
    weft_test::test_ca ca;
    return serve_weft(weft::net::tls::server_context({.certificates = {ca.make({.names = {"127.0.0.1"}})}}));
  }
  if (kind == "weft-echo") return serve_weft_echo();
  if (kind == "busy") return serve_busy();
  if (kind == "raw") {
    weft::bench::serve_raw_epoll(STDIN_FILENO, tell);
    return 0;
  }
  if (kind == "raw-echo") {
    weft::bench::echo_raw_epoll(STDIN_FILENO, tell);
    return 0;
  }
#ifdef WEFT_BENCH_LIBURING
  if (kind.starts_with("uring-")) {
    using weft::bench::uring_use;
    const auto how = kind == "uring-readiness" ? uring_use::readiness : uring_use::completions;
    weft::bench::serve_raw_uring(how, STDIN_FILENO, tell);
    return 0;
  }
#endif
  std::fputs(
      "usage: weft_bench_http_server "
      "raw|raw-echo|uring-readiness|uring-completions|weft|weft-tls|weft-echo|busy\n",
      stderr);
  return 2;
}
