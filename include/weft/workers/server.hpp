#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include <weft/closure/services.hpp>
#include <weft/process/child.hpp>
#include <weft/process/limits.hpp>
#include <weft/process/restrictions.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/workers/error_stacks.hpp>
#include <weft/workers/interfaces.hpp>
#include <weft/workers/recycling.hpp>
#include <weft/workers/restart_intensity.hpp>
#include <weft/workers/worker_hook.hpp>

namespace weft::inline v1::workers {

/// A fork server that clients of other programs connect to: those of weft, and those of the older
/// protocol, of Perl's AnyEvent::Task.
struct server_options {
  std::string listen;  ///< "unix:/path", where a socket file nobody listens on is replaced, or "host:port"
  interfaces interface = {};  ///< what its workers offer
  worker_hook setup = {};     ///< in each worker, before its first call, e.g. `[](services& all) {...}`; a
                              ///< failure is the error of that call, and the next one tries again
  worker_hook checkout_done =
      {};                 ///< in the worker, after each checkout, e.g. `rollback(database&)`; see interfaces
  std::string name = {};  ///< in process titles
  std::chrono::nanoseconds hung_worker_timeout = std::chrono::minutes(5);  ///< as client_options
  std::size_t max_workers = 1000;  ///< at a time; further clients wait
  /// Forked in advance, beside those with a client; 0: each client waits for a fork. When clients come faster
  /// than workers are forked, twice as many are kept, and again, up to max_workers; half as many after each
  /// idle_timeout in which nobody had to wait for a fork.
  std::size_t min_workers = 0;
  /// See min_workers. 0: however many were once kept in advance are kept for good.
  std::chrono::nanoseconds idle_timeout = std::chrono::minutes(1);
  std::size_t max_waiting = 1000;  ///< clients without worker; further ones wait in the backlog, or take the
                                   ///< place of the oldest that never said a word
  std::chrono::nanoseconds hello_within{0};  ///< a client that says nothing for so long loses its connection;
                                             ///< pools may connect in advance, so 0, the default: it may
  std::chrono::nanoseconds stop_grace =
      std::chrono::seconds(5);  ///< for checkouts that run when the server is to stop
  std::chrono::nanoseconds reload_grace = std::chrono::minutes(5);  ///< the same, when it has been replaced
  restart_intensity restarts = {};                                  ///< when too many workers die
  recycling recycle = {};                                           ///< when a worker was used enough; off
  std::size_t message_bytes_max = 16 * 1024 * 1024;                 ///< arguments of one call
  std::size_t max_calls = 10'000;  ///< of one client, that run in its worker at a time; one more fails as
                                   ///< resource_exhausted. Where the answers of so many wait for the
                                   ///< client to read, it is held up instead
  std::size_t stack_bytes = 1024 * 1024;                                  ///< of a called function's fiber
  workers::error_stacks error_stacks = workers::error_stacks::addresses;  ///< with the errors of calls
  process::limits limits = {};                                            ///< of each worker
  process::restrictions restrictions = {};                                ///< of each worker
  unsigned mode = 0600;                                                   ///< permissions of the socket file
  /// Clients have to prove that they know one of these keys, and are given proof that the server does: then
  /// they may send closures over TCP, too. Others are refused, also those of the compatible protocol and
  /// those that ask for the server's state (server_status). Null, the default: nobody is asked.
  std::shared_ptr<const wire::key_ring> keys = {};
  std::vector<uid_t> allowed_users = {};  ///< who may connect, beside the own user and root; over TCP anybody
};

/// Forks a worker for each client that connects and says something. The process of a server has one thread
/// and nothing else to do: `return workers::server(options).run();` is a whole program.
///
/// Signals. SIGTERM and SIGINT: the socket goes, clients that have said nothing lose their connections, those
/// that have are served, and checkouts may end, within stop_grace; then the workers get SIGTERM and, 100 ms
/// later, SIGKILL. The second signal leaves out the grace. SIGHUP: a reload. In run() the program's file is
/// started anew with the same arguments and takes over the socket once it serves, and the clients that have
/// no worker; what connects meanwhile is not lost, and this process ends when its checkouts have, within
/// reload_grace. So the process number changes. A new program that ends, listens elsewhere, or does not serve
/// within 30 s, changes nothing; where the port is 0 it keeps the one that was found. Under fork() a reload
/// replaces the workers, which end with their checkouts.
class server {
 public:
  /// Listens at once. Throws weft::error that names the address: busy where another server answers
  /// there, invalid_argument, io_error.
  explicit server(server_options options);
  server(server&&) noexcept;
  ~server();

  /// Where it listens, with the real port.
  std::string address() const;

  /// Serves until the process is ended by a signal; its workers end before it. Throws
  /// weft::error (misuse) in a process with threads.
  int run();

  /// The same as SIGHUP, for the server that runs as run() of this object; may be called by any thread of its
  /// process and, as the object is copied by the fork, by its workers. Does not wait for it. Throws
  /// weft::error (misuse) where run() does not run.
  void reload() const;

  /// Runs a server in a child process; it ends, at once, when this process does. For a process
  /// without other threads yet. The socket listens when this returns. The handle's end kills it.
  static process::child fork(server_options options);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace weft::inline v1::workers
