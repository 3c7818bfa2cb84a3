#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/process/exit_status.hpp>

#include "workers/captured_output.hpp"

// The fork server: a process with one thread that does nothing but fork workers and see them end.
//
// Its client asks for a worker over the control socket with two descriptors: the worker's end of a
// connection, and the server's end of a monitor. The server forks, sends pid and pidfd through the
// monitor, and, when the worker has ended, its exit status. A monitor that its client closed means
// that nobody needs the worker: it is told by the end of its connection and, after a grace, killed.
// The server ends, with all its workers, when the keep-alive pipe has no writer any more.

namespace weft::workers::detail {

/// What a monitor carries; one message each, both at most once, in this order.
struct monitor_message {
  enum class kind : std::uint32_t { started = 1, fork_failed = 2, ended = 3 };
  kind what{};
  std::int32_t pid = 0;              ///< of started; the pidfd comes along
  std::int32_t error = 0;            ///< errno of fork_failed
  process::exit_status status = {};  ///< of ended
};
/// Behind an ended message comes the end of what the worker wrote to its standard error.
static_assert(std::is_trivially_copyable_v<monitor_message>);

/// What a worker inherits.
struct worker_descriptors {
  unique_fd connection;
  unique_fd monitor;  ///< to be handed to a client that came through the listening socket; else none
  int keep_alive = -1;
};

struct fork_server_options {
  unique_fd control;       ///< requests of the own program; -1: none
  unique_fd keep_alive;    ///< read end; ends with the program that needs the server; -1: none
  unique_fd listener;      ///< clients connect here; -1: none
  unique_fd stop_signals;  ///< a signalfd: readable when the server is asked to end; -1: none
  std::string name;
  bool checks_users = true;          ///< of clients that connect: a Unix socket tells who they are
  std::vector<uid_t> allowed_users;  ///< beside the own one
  std::size_t workers_max = 1000;
  std::function<int(worker_descriptors)> worker;  ///< runs in each worker; its result is the exit status
};

class fork_server {
 public:
  explicit fork_server(fork_server_options options);
  fork_server(const fork_server&) = delete;
  fork_server& operator=(const fork_server&) = delete;
  ~fork_server();

  /// Serves until nobody needs it. Gives the exit status of the process.
  int run();

 private:
  struct worker_entry {
    pid_t pid = -1;
    unique_fd pidfd;
    unique_fd monitor;
    captured_output errors;
    steady_time kill_at = no_deadline;  // set once nobody needs it
    bool asked_to_end = false;
  };

  void poll_once();
  void serve_control();
  void accept_client();
  void start_worker(unique_fd connection, unique_fd monitor, unique_fd hand_over);
  [[noreturn]] void become_worker(unique_fd connection, unique_fd hand_over, int errors);
  void reap(worker_entry& entry);
  void monitor_closed(worker_entry& entry);
  void kill_overdue();
  int poll_timeout_ms() const;
  void end_all();

  fork_server_options options_;
  std::vector<worker_entry> workers_;
  pid_t pid_;
  bool ending_ = false;
};

}  // namespace weft::workers::detail
