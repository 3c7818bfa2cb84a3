#pragma once

#include <cstddef>

namespace weft::bench {

/// Both ends of `connections` TCP connections on this thread, over one edge-triggered epoll set: each client
/// sends `message_bytes` and waits for them to come back, until there were `trips` round trips in all.
void raw_echo(std::size_t connections, std::size_t trips);

inline constexpr std::size_t message_bytes = 64;

}  // namespace weft::bench
