#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <weft/core/unique_fd.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/process/restart_intensity.hpp>

namespace weft::inline v1::process {

namespace detail {
class supervisor_state;
}

/// A listening socket that a new program is to inherit.
struct handed_socket {
  int socket = -1;
  std::string address = {};  ///< as net::endpoint::text
};

/// How many processes a supervisor keeps, and how.
struct supervisor_options {
  std::string name = "weft";  ///< in messages on stderr and, with a number, in the titles of the processes
  std::size_t processes = 1;
  restart_intensity restarts = {};  ///< when too many of them end by themselves
  /// For a new one to say that it is ready. Then it is killed, and counts as one that ended by itself.
  std::chrono::milliseconds ready_within{30'000};
  std::chrono::milliseconds leave_grace{60'000};  ///< for one that was replaced to end; then it is killed
  std::chrono::milliseconds stop_grace{15'000};   ///< the same for all, when the supervisor is to stop
  std::function<void()> on_stop = {};             ///< called in the supervisor when it begins to stop
  /// SIGHUP starts the program's file anew, in place of replacing the processes, with this socket, which it
  /// gets by detail::inherited_socket.
  std::optional<handed_socket> hands_over = {};
  std::function<void()> on_handed_over = {};  ///< called in the supervisor when the new program serves
};

/// What one of the processes hears from its supervisor.
struct supervisor_word {
  enum class kind : unsigned char {
    message,  ///< of another process, in `text`
    leave,    ///< another process has taken its place: finish in peace
    stop,     ///< everybody is to end; also where the supervisor is gone
  };
  kind what = kind::stop;
  std::string text = {};
};

/// A supervised process' end of the line to its supervisor.
///
/// Thread-safety: hear() for one task at a time; the rest for any. Waits suspend a fiber and block a plain
/// thread.
class supervised {
 public:
  static constexpr std::size_t message_bytes_max = 64 * 1024;

  /// Which of the processes it is: from 0 on. Its successor has the same.
  std::size_t number() const noexcept { return number_; }

  /// It does its work now: the process in whose place it is may leave. Throws weft::error (closed) where the
  /// supervisor is gone, as the next two.
  void ready();
  /// Asks to be replaced: it hears `leave` once its successor is ready. May be asked again.
  void ask_for_successor();
  /// A message to all other processes, those that leave included. At most once: one that has 1 MiB unread
  /// misses what comes. Throws too_large for more than message_bytes_max. A cancellation point; waits while
  /// the line is full.
  void tell_others(std::string_view message);
  /// Waits for the next word. A cancellation point.
  supervisor_word hear();

 private:
  friend class supervisor;
  supervised(std::size_t number, unique_fd line) noexcept : number_(number), line_(std::move(line)) {}
  void send(std::string_view frame);

  const std::size_t number_;
  unique_fd line_;
  weft::mutex sending_;
  std::string heard_;  // room for a frame; hear()'s
};

/// Keeps a number of processes, each of which runs the same function: one that ends is replaced, within
/// the restart intensity; all are replaced one after the other by SIGHUP, each only when its successor is
/// ready.
///
/// Signals. SIGTERM and SIGINT: all hear `stop`, and those that have not ended after stop_grace are killed;
/// the second such signal kills them at once. SIGHUP: a reload. Where a successor ends before it is ready,
/// the reload is over, and the former processes stay. The processes themselves ignore SIGINT and SIGHUP,
/// which a terminal sends to all of them. They are killed when the supervisor ends, however it does.
///
/// With `hands_over` SIGHUP starts the file of the program, as it is then, with the arguments of this one.
/// Once its supervisor's processes are all ready, the former ones hear `leave`, and their supervisor ends
/// when they have: 0. A new program that ends before, or takes longer than 30 s, is killed, and the former
/// one goes on.
///
/// Thread-safety: none. For a process without other threads; run() is called outside weft::run.
class supervisor {
 public:
  /// `body` runs in each process, with its result as exit status.
  supervisor(supervisor_options options, std::function<int(supervised&)> body);
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;
  ~supervisor();

  /// Until it is stopped by a signal: 0. As many processes as there should be, and none that was ever ready:
  /// it stops, and gives 1. Throws weft::error: misuse in a process with threads, resource_exhausted where it
  /// cannot begin.
  int run();

 private:
  std::unique_ptr<detail::supervisor_state> state_;
};

}  // namespace weft::inline v1::process
