#pragma once

#include <sys/types.h>

#include <weft/core/unique_fd.hpp>
#include <weft/net/endpoint.hpp>

namespace weft::inline v1::net {

/// How to listen.
struct listen_options {
  int backlog = 1024;       ///< connections that wait to be accepted
  bool reuse_port = false;  ///< let several listeners share the port (SO_REUSEPORT)
  mode_t unix_mode = 0600;  ///< who may connect to a Unix socket
};

/// A socket that listens, and its file: for a process without weft::run, such as a fork server. Inside one
/// choose listener.
///
/// A Unix socket's file is removed at close() if it is still the one made here; one left over from a
/// program that died is replaced.
class bound_socket {
 public:
  bound_socket() noexcept = default;
  /// Binds and listens; the socket does not wait. A name is looked up in place, which blocks. Throws
  /// weft::error that names the endpoint, the reason and what to do: busy where another program has it.
  explicit bound_socket(const endpoint& at, const listen_options& options = {});
  bound_socket(bound_socket&&) noexcept = default;
  bound_socket& operator=(bound_socket&& other) noexcept;
  ~bound_socket() { close(); }

  /// Takes over one that listens already, e.g. inherited from another process, which gives it up.
  static bound_socket adopt(unique_fd socket, const endpoint& at);

  /// A second descriptor of the socket, without its file: who has one accepts of the same connections. Throws
  /// weft::error (resource_exhausted).
  bound_socket share() const;

  int fd() const noexcept { return fd_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
  /// Where it listens, with the real port.
  const endpoint& address() const noexcept { return address_; }

  /// Ends listening and removes the file. Calling it again has no effect.
  void close() noexcept;
  /// Closes this process's descriptor only: another process listens on.
  void leave_open() noexcept { fd_.reset(); }

 private:
  friend class listener;
  struct looked_up;
  explicit bound_socket(const looked_up& where, const listen_options& options);
  void learn_address();

  endpoint address_ = endpoint::tcp({}, 0);
  unique_fd fd_;
  dev_t device_ = 0;  // of the Unix socket's file: only our own is removed
  ino_t inode_ = 0;
};

}  // namespace weft::inline v1::net
