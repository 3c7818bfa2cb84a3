#pragma once

#include <string_view>

namespace weft::bench {

/// What the bare servers say, made beforehand: as long as weft's.
inline constexpr std::string_view raw_answer =
    "HTTP/1.1 200 OK\r\n"
    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "Content-Length: 12\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "X-Request-Id: 000000000000000\r\n"
    "\r\n"
    "Hello world!";

/// Throws errno, as std::system_error.
[[noreturn]] void fail(const char* what);

/// On loopback; does not wait.
int listen_on_any_port(int& port);

/// No Nagle: an answer is sent at once.
void send_at_once(int fd);

/// Receives what there is, once and again while that fills the buffer, and answers each request in it.
/// False: the connection is over.
bool serve_what_came(int fd);

/// Calls `answer` for each request in `got`; no parser but a search for the empty line.
template <typename F>
void for_each_request(std::string_view got, F answer) {
  for (std::size_t end; (end = got.find("\r\n\r\n")) != std::string_view::npos; got.remove_prefix(end + 4))
    answer();
}

}  // namespace weft::bench
