#pragma once

#include <functional>

namespace weft::bench {

/// Serves hello with nothing but epoll, edge-triggered: one recv and one send a request, an answer
/// made beforehand, no parser but a search for the empty line. The floor that weft is compared with.
/// Tells its port by `ready` and serves until `stop_fd` is readable.
void serve_raw_epoll(int stop_fd, const std::function<void(int port)>& ready);

/// The same for WebSockets: sends back each message. Every request becomes a WebSocket, whatever it says;
/// frames are short and come whole.
void echo_raw_epoll(int stop_fd, const std::function<void(int port)>& ready);

}  // namespace weft::bench
