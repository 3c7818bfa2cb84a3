#pragma once

#include <utility>

#include <weft/core/unique_fd.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/net/bound_socket.hpp>
#include <weft/net/endpoint.hpp>
#include <weft/net/stream.hpp>

namespace weft::inline v1::net {

/// Accepts connections at an endpoint.
///
/// Thread-safety: accept() from one task; close() from any task of the run. A Unix socket's file is
/// removed at close; one left over from a program that died is replaced.
class listener {
 public:
  /// Binds and listens. Throws weft::error that names the endpoint, the reason and what to do: busy
  /// where another program has it. Port 0 takes any free port; address() tells which.
  explicit listener(const endpoint& at, listen_options options = {});
  /// Accepts at one that listens already, on this loop.
  explicit listener(bound_socket socket) : socket_(std::move(socket)), io_(socket_.fd()) {}
  /// As the first constructor, without the loop: several listeners, of several loops, may share the socket.
  static bound_socket bind(const endpoint& at, listen_options options = {});
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener() { close(); }

  /// Waits for the next connection, without a time limit of its own. When the process is out of descriptors
  /// or memory it says so in the log, once in ten seconds, backs off, up to a second, and tries again: the
  /// connections wait in the backlog. Throws weft::error (closed) after close().
  stream accept() { return made(accept_socket()); }
  /// As accept(), for a listener of another loop to be made() a stream of it.
  unique_fd accept_socket();
  /// A stream on the caller's loop of what accept_socket() gave. Throws weft::error (resource_exhausted).
  stream made(unique_fd accepted) const;

  /// Ends listening and wakes the task in accept(). Calling it again has no effect.
  void close() noexcept;
  /// Where it listens, with the real port.
  const endpoint& address() const noexcept { return socket_.address(); }
  /// How often accept() had to back off.
  std::size_t back_offs() const noexcept { return back_offs_; }

 private:
  void back_off(int errno_value);

  bound_socket socket_;
  io_handle io_;
  event closing_;
  std::chrono::milliseconds pause_{0};
  std::size_t back_offs_ = 0;
  steady_time silent_until_{};  // back-offs before are not logged
};

}  // namespace weft::inline v1::net
