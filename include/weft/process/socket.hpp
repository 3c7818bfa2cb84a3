#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::process {

/// The two ends of a pipe, close-on-exec.
struct pipe_ends {
  unique_fd reader;
  unique_fd writer;
};
pipe_ends make_pipe();

/// Two connected unix stream sockets, close-on-exec and blocking. Throws weft::error.
std::pair<unique_fd, unique_fd> stream_pair();
/// Two connected unix sockets that keep message borders, close-on-exec and blocking.
std::pair<unique_fd, unique_fd> message_pair();

/// Sets or clears O_NONBLOCK.
void set_nonblocking(int fd, bool on);

/// Sends `bytes` (at least one) with descriptors, at most 8; the receiver gets copies of them. The number of
/// bytes sent, -1 with errno otherwise. Never raises SIGPIPE.
long send_with_descriptors(int socket, std::string_view bytes, const std::vector<int>& descriptors) noexcept;

/// Receives up to `capacity` bytes into `buffer` and appends the descriptors that came with them,
/// close-on-exec, to `descriptors`. With MSG_PEEK in `flags` both stay for the next call, which gives further
/// copies. A descriptor that finds no place in this process is missing. As recv: 0 at the end of the stream,
/// -1 with errno.
long receive_with_descriptors(int socket, char* buffer, std::size_t capacity,
                              std::vector<unique_fd>& descriptors, int flags = 0) noexcept;

}  // namespace weft::inline v1::process
