#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include <weft/closure/services.hpp>
#include <weft/process/child.hpp>
#include <weft/process/limits.hpp>
#include <weft/workers/interfaces.hpp>

namespace weft::workers {

/// A fork server that clients of other programs connect to: those of weft, and those of the older
/// protocol, of Perl's AnyEvent::Task.
struct server_options {
  std::string listen;  ///< "unix:/path", where a socket file nobody listens on is replaced, or "host:port"
  interfaces interface = {};  ///< what its workers offer
  std::function<void(services&)> setup =
      {};  ///< in each worker, before its first call; a failure is the error of that call
  std::function<void()> checkout_done = {};  ///< in the worker, after each checkout; see interfaces
  std::string name = {};                     ///< in process titles
  std::chrono::nanoseconds hung_worker_timeout = std::chrono::minutes(5);  ///< as client_options
  std::size_t workers_max = 1000;                    ///< further clients wait in the backlog
  std::size_t message_bytes_max = 16 * 1024 * 1024;  ///< arguments of one call
  std::size_t stack_bytes = 1024 * 1024;             ///< of a called function's fiber
  process::limits limits = {};                       ///< of each worker
  unsigned mode = 0600;                              ///< permissions of the socket file
  std::vector<uid_t> allowed_users = {};  ///< who may connect, beside the own user and root; over TCP anybody
};

/// Forks a worker for each client that connects. The process of a server has one thread and nothing
/// else to do: `return workers::server(options).run();` is a whole program.
class server {
 public:
  /// Listens at once. Throws weft::error that names the address: busy where another server answers
  /// there, invalid_argument, io_error.
  explicit server(server_options options);
  server(server&&) noexcept;
  ~server();

  /// Where it listens, with the real port.
  std::string address() const;

  /// Serves until the process is ended (SIGTERM, SIGINT); its workers end with it. Throws
  /// weft::error (misuse) in a process with threads.
  int run();

  /// Runs a server in a child process; it ends when the handle does, or this process. For a process
  /// without other threads yet. The socket listens when this returns.
  static process::child fork(server_options options);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace weft::workers
