#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <weft/fiber/run.hpp>
#include <weft/http/server.hpp>
#include <weft/net/bound_socket.hpp>
#include <weft/process/restart_intensity.hpp>
#include <weft/process/supervisor.hpp>

namespace weft::inline v1::http {

/// How many processes serve, and when one gives its place to a new one.
struct process_group_options {
  std::string listen = "127.0.0.1:8080";  ///< as net::endpoint::parse
  net::listen_options socket = {};
  std::size_t processes = 2;
  std::string name = "http";  ///< in titles of processes and in messages
  run_options run = {};       ///< of each process
  /// A process that has served so many requests is replaced; 0: never. Looked at some times a second.
  std::uint64_t requests_max = 0;
  std::uint64_t resident_bytes_max = 0;      ///< the same for one that has more memory; 0: never
  process::restart_intensity restarts = {};  ///< when too many processes end by themselves
  std::chrono::milliseconds ready_within{
      30'000};             ///< from a process' begin until it serves; then it is killed
  stop_options stop = {};  ///< how a process ends with the group
  /// SIGHUP starts the program's file, as it is then, with the same arguments, in place of new processes of
  /// the program in memory: for a group that is run by the program's main. See process_group.
  bool reloads_program = false;
  stop_options replaced = {.grace = std::chrono::seconds(60), .idle_grace = std::chrono::seconds(5)};
};

/// One of the processes, to its body.
///
/// Thread-safety: on_message() before serve(); the others from any fiber of the process.
class server_process {
 public:
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  /// From 0 on; one that is replaced has the same number as its successor.
  std::size_t number() const noexcept { return line_.number(); }
  /// `base`, with the socket of the group.
  server_options options(server_options base = {}) const;

  /// Starts the server and returns when it was stopped, because its process was replaced, the group is to
  /// end, or by a SIGTERM to the process. Throws weft::error as server::start. A cancellation point.
  void serve(server& what);

  /// A message to all other processes of the group, of process::supervised::message_bytes_max at most; as
  /// process::supervised::tell_others.
  void tell_others(std::string_view message) { line_.tell_others(message); }
  /// What is done with messages of others, one after the other, on a fiber, while this one serves. An error
  /// that leaves `work` is logged.
  void on_message(std::function<void(std::string_view)> work) { on_message_ = std::move(work); }

 private:
  friend class process_group;
  server_process(const process_group_options& options, const net::bound_socket& socket,
                 process::supervised& line) noexcept
      : options_(options), socket_(socket), line_(line) {}
  void take_message(std::string_view message) const;
  bool is_used_up(const server& what) const;
  void look_at_use(const server& what);

  const process_group_options& options_;
  const net::bound_socket& socket_;
  process::supervised& line_;
  std::function<void(std::string_view)> on_message_;
};

/// HTTP servers in several processes, which accept of one socket, under a supervisor (process::supervisor,
/// which says what the signals do).
///
///     int main() {
///       weft::http::process_group group{{.listen = "127.0.0.1:8080", .processes = 4}};
///       return group.run([](weft::http::server_process& here) {
///         weft::http::server server(here.options());
///         server.get("/", [] { return "hello"; });
///         here.serve(server);
///       });
///     }
///
/// The socket is there as long as the supervisor: connections wait in it, whatever becomes of processes.
///
/// With reloads_program a reload may bring a new version of the program: that inherits the socket where it
/// makes a group with the same `listen`, and starts all its processes; once they serve, the former ones
/// leave, and run() of the former program gives 0: who watches its pid has to follow. Where the new one does
/// not get so far, all stays as it was. Messages go between the processes of one program.
///
/// Thread-safety: none; for a process without other threads, outside weft::run.
class process_group {
 public:
  /// Listens at once. Throws weft::error as net::bound_socket.
  explicit process_group(process_group_options options);

  const net::endpoint& address() const noexcept { return socket_.address(); }
  /// "http://127.0.0.1:8080"; for servers without TLS, at TCP.
  std::string url() const { return "http://" + address().text(); }

  /// Runs `body` inside a weft::run of its own in each process, until the group is stopped. Gives the status
  /// of process::supervisor::run, and throws what that does.
  int run(std::function<void(server_process&)> body);

 private:
  process_group_options options_;
  net::bound_socket socket_;
};

}  // namespace weft::inline v1::http
