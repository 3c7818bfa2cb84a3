#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <weft/fiber/semaphore.hpp>
#include <weft/fiber/wait_group.hpp>
#include <weft/http/server.hpp>
#include <weft/net/bound_socket.hpp>

namespace weft::inline v1::http::detail {

class server_lane;

/// How far a server has got; only forwards.
enum class server_stage : unsigned char {
  serving,
  stopping,      ///< accepts nobody; answers say that the connection ends
  closing_idle,  ///< connections without a request end
  cancelling,    ///< all that is left ends
  over,
};

/// What the lanes of a server share, and how it begins and ends.
///
/// Each loop that serves has a lane, with an acceptor of its own; all accept of one socket, so a loop that is
/// busy keeps nobody waiting who another one could serve. Who accepts hands the connection to the lane with
/// the fewest (with the kernel's SO_REUSEPORT a connection would belong to a loop before anybody knew what
/// that has to do, and would be lost with its socket). From there on it stays on its loop, and nothing that
/// is done for a request is shared but what is atomic here.
///
/// stage_ goes forwards in stop(); each lane is then woken and does on its own loop what the stage asks for.
/// The lanes' own fibers, and connections from the moment they were accepted, are counted in running_; the
/// fibers that wait for stages in keepers_.
class server_core {
 public:
  explicit server_core(server_options options);
  ~server_core();

  void start();
  void wait() { running_.wait(); }
  bool stop(const stop_options& how);

  const server_options& options() const noexcept { return options_; }
  http::router& routes() noexcept { return routes_; }
  server_stage stage() const noexcept { return stage_.load(std::memory_order_acquire); }
  /// Null before start().
  const net::endpoint* address() const noexcept { return address_ ? &*address_ : nullptr; }
  server_statistics statistics() const noexcept;

  // For the lanes.
  bool speaks_http2() const noexcept { return speaks_http2_; }
  /// By ALPN, where the TLS context names none.
  std::span<const std::string> protocols() const noexcept;
  std::atomic<std::size_t>& running_requests() noexcept { return running_requests_; }
  wait_group& running() noexcept { return running_; }
  wait_group& keepers() noexcept { return keepers_; }
  wait_group& opening() noexcept { return opening_; }
  semaphore& handshakes() noexcept { return handshakes_; }
  /// A connection more, or one less. False where there are connections_max.
  bool add_connection() noexcept;
  void remove_connection() noexcept { connections_.fetch_sub(1, std::memory_order_relaxed); }
  /// Who shall have the connection that `here` accepted.
  server_lane& lane_for_next(server_lane& here) const noexcept;
  /// The lane cannot serve.
  void failed_to_open(std::exception_ptr why) noexcept;

 private:
  std::size_t lanes_wanted(std::size_t loops) const;
  void check_http2() const;
  void make_lanes(std::size_t count);
  void advance(server_stage to) noexcept;

  server_options options_;
  const bool speaks_http2_;
  http::router routes_;
  net::bound_socket socket_;  // of who started the server, and then of who stops it
  std::optional<net::endpoint> address_;
  std::vector<std::unique_ptr<server_lane>> lanes_;  // constant while they run
  std::atomic<server_stage> stage_{server_stage::serving};
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> running_requests_{0};
  wait_group running_;
  wait_group keepers_;
  wait_group opening_;
  semaphore handshakes_;
  std::mutex failure_lock_;
  std::exception_ptr failure_;  // guarded by failure_lock_; the first
};

}  // namespace weft::inline v1::http::detail
