#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/types.h>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/net/bound_socket.hpp>
#include <weft/process/crash_watch.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/workers/restart_intensity.hpp>

#include "workers/client_line.hpp"
#include "workers/event_set.hpp"
#include "workers/successor.hpp"
#include "workers/unserved_client.hpp"
#include "workers/worker_board.hpp"
#include "workers/worker_set.hpp"

// The fork server: a process with one thread that does nothing but fork workers and see them end. Nothing in
// its loop waits but event_set::wait.
//
// A client of its own program asks for a worker over the control socket with two descriptors: the worker's
// end of a connection, and the server's end of a monitor. The server forks, sends pid and pidfd through the
// monitor, and, when the worker has ended, its exit status. A monitor that its client closed means
// that nobody needs the worker: it is told by the end of its connection and, after a grace, killed.
// The server ends, with all its workers, when the keep-alive pipe has no writer any more.
//
// A client that connects to the listening socket stands in the client_line until it has said something and
// there may be one more worker. It gets one that was forked in advance, over that one's link, or a new one.
// No worker ever has the listening socket. A worker that ends between two checkouts while a client of the
// older protocol, which knows no goodbye, is still there gives that client back over its link: it stands in
// the line again, and whatever it says next is answered by the next worker.
//
// A server that was replaced by its program's new file hands its clients that have no worker, also those that
// come back from a worker, to that successor. Where that does not take them they are served here.
//
// Phases: running; stopping, once it was asked to end or has a successor: no listening socket, clients that
// came before are served and all finish their checkouts within a bound; ending: they are killed. Each only
// after the one before.

namespace weft::inline v1::workers::detail {

/// What a worker inherits.
struct worker_descriptors {
  unserved_client client = {};  ///< no connection: comes over the link
  unique_fd monitor = {};  ///< to be handed to a client that came through the listening socket; else none
  unique_fd link = {};     ///< to a listening server
  int keep_alive = -1;
  worker_slot* slot = nullptr;
};

struct fork_server_options {
  unique_fd control;     ///< requests of the own program; -1: none
  unique_fd keep_alive;  ///< read end; ends with the program that needs the server; -1: none
  unique_fd signals;     ///< a signalfd for those that ask the server to end or to reload; -1: none
  std::string name;
  std::function<int(worker_descriptors)> worker;  ///< runs in each worker; its result is the exit status

  net::bound_socket* listener =
      nullptr;  ///< clients connect here; null: nobody connects, and what follows has no effect
  const wire::key_ring* keys =
      nullptr;                       ///< who asks for the server's state has to know one; null: nobody has
  bool checks_users = true;          ///< of clients that connect: a Unix socket tells who they are
  std::vector<uid_t> allowed_users;  ///< beside the own one
  std::size_t max_workers = 1000;
  std::size_t min_workers = 0;
  std::chrono::nanoseconds idle_timeout = std::chrono::minutes(1);
  std::size_t max_waiting = 1000;
  std::chrono::nanoseconds hello_within{0};
  std::chrono::nanoseconds hung_after{
      0};  ///< a call may take; 0: any time, or who asked for the worker looks
  std::chrono::nanoseconds stop_grace{0};
  std::chrono::nanoseconds reload_grace{0};
  restart_intensity restarts;
  std::function<successor()> start_successor;  ///< empty: a reload replaces the workers only
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
  enum class phase : unsigned char { running, stopping, ending };
  // What one worker is forked for.
  struct order {
    unserved_client client = {};
    unique_fd monitor = {};
    unique_fd hand_over = {};
    bool is_ready = false;  // for a client that comes later
  };

  void watch_all();
  void watch_memory();
  void raise_files_limit();
  bool is_over() const noexcept;
  bool is_deserted() const noexcept;
  bool serves_line() const noexcept;
  steady_time next_time() const;
  void handle(const event& seen);
  void handle_worker(const event& seen);
  void on_time();

  void serve_control();
  void accept_clients();
  bool accept_one();
  bool is_welcome(int connection);
  void put_in_line(unserved_client client);
  void pause_accepting();
  void resume_accepting();
  void serve_askers();
  void serve_line();
  void serve(unserved_client client);
  void fill_up();
  void keep_more_ready();
  void keep_fewer_ready(steady_time now);

  bool may_fork() const;
  bool fork_worker(order wanted);
  bool started(pid_t pid, order wanted, worker_entry entry);
  void failed_to_fork(const order& wanted, int why);
  [[noreturn]] void become_worker(order wanted, unique_fd link, int errors, worker_slot* slot);
  [[noreturn]] void become_clerk(unique_fd connection);
  void worker_ended(std::uint64_t id);
  void pause_for_deaths();
  server_figures figures() const;

  void take_signals();
  void reload();
  void successor_spoke();
  void drop_successor();
  void hand_on();
  void forget_heir();
  void wait_for_heir(bool waits);
  void take_over();
  void take_clients();
  void add_handed_over(unserved_client client);
  void take_last_clients();
  void forget_predecessor();
  void take_backlog();
  void take_those_who_spoke();
  void stop(std::chrono::nanoseconds grace);
  void end();
  void say(const std::string& what) const;

  fork_server_options options_;
  pid_t pid_;
  event_set events_;
  worker_board board_;
  worker_set workers_;
  client_line line_;
  process::crash_watch crashes_;
  successor successor_;  // until it serves
  unique_fd heir_;       // the link to one that serves: clients without a worker are its
  bool waits_for_heir_ = false;
  steady_time hand_on_at_{};  // not before; later than at once where it failed
  unique_fd predecessor_;     // the link over which such clients come
  bool may_take_ = false;     // there may be one, which stays there while the line is full
  steady_time take_at_{};     // not before; later than at once where there was no descriptor for it
  phase phase_ = phase::running;
  std::size_t keeps_ready_;              // workers in advance: min_workers, or more while many come
  steady_time fewer_at_ = no_deadline;   // keeps_ready_ is halved
  rlimit former_files_{};                // what workers get
  steady_time end_at_ = no_deadline;     // of stopping
  steady_time accept_at_ = no_deadline;  // while the listening socket is not looked at
  bool accepts_ = false;
  bool keeps_silent_ = false;  // while stopping: clients that have not spoken yet may still do so
  bool was_pausing_ = false;
  steady_time started_ = steady_clock::now();
  server_figures counts_;  // the counts only
};

}  // namespace weft::inline v1::workers::detail
