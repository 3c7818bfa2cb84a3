// Short messages that come back, over 64 WebSockets: weft's, with its checks and limits on, against epoll
// alone.

#include <memory>
#include <string>

#include "http/served_load.hpp"
#include "support/figure.hpp"

namespace {

using namespace weft::bench;

const conversation echo{
    .greeting =
        "GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    .request = std::string("\x81\x8c\0\0\0\0Hello world!", 18),  // masked with zeros
    .answer_begin = "\x81\x0cHello",
};

std::unique_ptr<served_load<>> ours;
std::unique_ptr<served_load<>> raw;

void start_both() {
  leave_the_first_core();
  ours = std::make_unique<served_load<>>("weft-echo", echo);
  raw = std::make_unique<served_load<>>("raw-echo", echo);
}

void end_both() {
  ours.reset();
  raw.reset();
}

const add rate{{
    .group = "http",
    .name = "WebSocket echo, 64 connections",
    .unit = "messages/s",
    .ours = [] { return ours->requests_per_second(); },
    .baseline = "raw epoll",
    .peer = [] { return raw->requests_per_second(); },
    .target = at_least_times(0.7),
    .before = start_both,
    .after = end_both,
}};

const add cpu{{
    .group = "http",
    .name = "WebSocket echo, CPU of the server per message",
    .unit = "us",
    .ours = [] { return ours->cpu_us_per_request(); },
    .baseline = "raw epoll",
    .peer = [] { return raw->cpu_us_per_request(); },
    .before = start_both,
    .after = end_both,
}};

}  // namespace
