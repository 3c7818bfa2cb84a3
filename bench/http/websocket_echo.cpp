// Short messages that come back, over 64 WebSockets: weft's, with its checks and limits on, against epoll
// alone.

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

compared_servers both;

void start_both() { both.start("weft-echo", "raw-echo", echo); }
void end_both() { both.end(); }

const add rate{{
    .group = "http",
    .name = "WebSocket echo, 64 connections",
    .unit = "messages/s",
    .ours = [] { return both.ours->requests_per_second(); },
    .baseline = "raw epoll",
    .peer = [] { return both.raw->requests_per_second(); },
    .target = at_least_times(0.7),
    .before = start_both,
    .after = end_both,
}};

const add cpu{{
    .group = "http",
    .name = "WebSocket echo, CPU of the server per message",
    .unit = "us",
    .ours = [] { return both.ours->cpu_us_per_request(); },
    .baseline = "raw epoll",
    .peer = [] { return both.raw->cpu_us_per_request(); },
    .before = start_both,
    .after = end_both,
}};

}  // namespace
