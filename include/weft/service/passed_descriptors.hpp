#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <weft/core/unique_fd.hpp>
#include <weft/net/bound_socket.hpp>

namespace weft::inline v1::ops {

/// A descriptor that the service manager opened for the program, or kept from its last life.
struct passed_descriptor {
  std::string
      name;  ///< FileDescriptorName= of the socket unit, or that of notifier::store; "unknown" without one
  unique_fd fd;  ///< close-on-exec

  /// Is it a stream socket that listens? One that does is made not to wait.
  bool is_listening() const noexcept;
  /// The same socket for servers and net::listener: whoever made it keeps its file. Throws weft::error
  /// (invalid_argument) for what does not listen, unsupported for one that is neither TCP nor a Unix socket.
  net::bound_socket listener() const;
};

/// What the environment says was passed ($LISTEN_FDS, $LISTEN_FDNAMES, for the process $LISTEN_PID), from
/// which it is taken out; in order, empty where there is nothing, or the second time.
///
///     auto passed = weft::ops::take_passed_descriptors();
///     const auto socket = passed.empty() ? net::bound_socket() : passed.front().listener();
///     weft::http::server server({.listener = socket ? &socket : nullptr});
///
/// Throws weft::error (invalid_argument) where the environment is malformed or names descriptors that are not
/// open; what there is of them stays open then. For the begin of a program: no other thread may read the
/// environment at this time.
std::vector<passed_descriptor> take_passed_descriptors();

}  // namespace weft::inline v1::ops
