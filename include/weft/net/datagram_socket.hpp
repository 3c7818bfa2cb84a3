#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/net/endpoint.hpp>

namespace weft::inline v1::detail {
class task_block;
}

namespace weft::inline v1::net {

/// A datagram that came.
struct datagram {
  std::size_t bytes = 0;                       ///< that were stored
  bool is_cut = false;                         ///< it had more, which are lost
  endpoint from = endpoint::unix_socket("@");  ///< "unix:@" for a peer without a name
};

/// How to bind.
struct datagram_options {
  bool reuse_port = false;    ///< let several sockets share the port, each with a part of the senders
  bool broadcast = false;     ///< allow sending to broadcast addresses
  unsigned unix_mode = 0600;  ///< who may send to a Unix socket
};

/// Messages over UDP or Unix sockets, each whole or not at all. Owns the descriptor.
///
/// Endpoints are written as for TCP: host and port. Waits suspend the fiber and are cancellation points,
/// which leave the socket as it was. One task may receive while another sends; a second one in the same
/// direction gets weft::error (busy) that names both. close() may be called by a third and wakes both:
/// weft::error (closed). Errors: weft::error; too_large for a message that the socket cannot send, and
/// unavailable where a connected peer is not there (which UDP tells late, by the next call, and not always).
/// Thread-safety: none; used from the thread of the run it was made in.
class datagram_socket {
 public:
  /// A closed one.
  datagram_socket() noexcept = default;
  datagram_socket(datagram_socket&&) noexcept = default;
  datagram_socket& operator=(datagram_socket&& other) noexcept;
  ~datagram_socket() { close(); }

  /// Receives at an endpoint, from everybody; port 0 takes any free one. A Unix socket's file stays until it
  /// is removed by its owner. Throws weft::error that names the endpoint: busy where another has it.
  static datagram_socket bind(const endpoint& at, const datagram_options& options = {});
  /// Sends to one peer, and receives from it alone. A Unix socket gets a name of its own, to be answered at.
  /// A name that is looked up may take until `until`.
  static datagram_socket connect(const endpoint& to, steady_time until = no_deadline);

  /// Waits for a datagram; one of no bytes is one, too. Nothing when `until` passed.
  std::optional<datagram> receive_from_until(std::span<char> into, steady_time until);
  datagram receive_from(std::span<char> into) { return *receive_from_until(into, no_deadline); }

  /// Sends to an endpoint. False when `until` passed before the socket had room. Of Unix sockets only a
  /// connected one can wait for a receiver that does not keep up: here that is weft::error
  /// (resource_exhausted).
  bool send_to_until(std::string_view bytes, const endpoint& to, steady_time until);
  void send_to(std::string_view bytes, const endpoint& to) { send_to_until(bytes, to, no_deadline); }
  /// Sends to the peer it is connected to.
  bool send_until(std::string_view bytes, steady_time until);
  void send(std::string_view bytes) { send_until(bytes, no_deadline); }

  /// Calling it again has no effect.
  void close() noexcept;
  bool is_open() const noexcept { return static_cast<bool>(fd_); }
  /// With the real port.
  endpoint local_address() const;
  int fd() const noexcept { return fd_.get(); }

 private:
  explicit datagram_socket(unique_fd made) : fd_(std::move(made)), io_(fd_.get()) {}

  unique_fd fd_;
  io_handle io_;                                // registered while fd_ is open
  weft::detail::task_block* reader_ = nullptr;  // the task that receives now
  weft::detail::task_block* writer_ = nullptr;
};

}  // namespace weft::inline v1::net
