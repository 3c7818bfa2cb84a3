#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/core/spin_lock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/executor/executor.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/wait_group.hpp>
#include <weft/http/server.hpp>
#include <weft/net/listener.hpp>

#include "http/admission.hpp"
#include "http/client_watch.hpp"
#include "http/lane_counters.hpp"
#include "http/served_link.hpp"
#include "http/server_core.hpp"

namespace weft::inline v1::http::detail {

class transport;

/// One of a group, until its end. Move-only.
class counted_in {
 public:
  explicit counted_in(wait_group& group) noexcept : group_(&group) { group.add(); }
  counted_in(counted_in&& other) noexcept : group_(std::exchange(other.group_, nullptr)) {}
  counted_in& operator=(counted_in&&) = delete;
  ~counted_in() {
    if (group_ != nullptr) group_->done();
  }

 private:
  wait_group* group_;
};

/// The part of a server that is on one loop: its connections, and what they share without locks.
///
/// Of its own loop, but for give(), rouse(), connections() and add_to(), which are for any.
class server_lane {
 public:
  server_lane(server_core& core, net::bound_socket socket);
  server_lane(const server_lane&) = delete;
  server_lane& operator=(const server_lane&) = delete;
  ~server_lane();

  const server_options& options() const noexcept { return core_.options(); }
  const http::router& routes() const noexcept { return core_.routes(); }
  lane_counters& counters() noexcept { return counters_; }
  detail::admission& admission() noexcept { return admission_; }
  client_watch& clients() noexcept { return clients_; }
  bool speaks_http2() const noexcept { return core_.speaks_http2(); }
  bool is_stopping() const noexcept { return core_.stage() >= server_stage::stopping; }
  /// Shall connections without a request end?
  bool closes_idle() const noexcept { return core_.stage() >= server_stage::closing_idle; }
  /// The Date header's line, made anew once a second.
  std::string_view date_line();
  /// A request id that does not repeat: 15 letters and digits, which a std::string keeps inside.
  std::string make_request_id() noexcept;

  /// Serves on that loop until the server's end. Counted in opening() until it does.
  void open_on(const executor& loop);
  /// Does what the server's stage asks for.
  void rouse() noexcept { wanted_.set(); }
  /// How many connections it has, or was given.
  std::size_t connections() const noexcept { return connections_.load(std::memory_order_relaxed); }
  void add_to(server_statistics& sum) const noexcept;

 private:
  /// A connection's place in the list.
  struct served {
    served_link* link = nullptr;  // on its fiber's stack; null before it begins
    bool in_handshake = false;
    fiber<void> handle;
  };
  /// A connection of a lane, in all counts, and its place where it has one: given back when its fiber ends,
  /// and also when that is cancelled before it began. Whose place it has is of its loop.
  class guest {
   public:
    static constexpr std::size_t no_place = ~std::size_t{0};
    /// The core has counted it.
    guest(server_lane& lane, unique_fd socket) noexcept;
    guest(guest&& other) noexcept
        : lane_(std::exchange(other.lane_, nullptr)),
          socket_(std::move(other.socket_)),
          place_(other.place_) {}
    guest& operator=(guest&&) = delete;
    ~guest();
    void sit(std::size_t place) noexcept { place_ = place; }
    std::size_t place() const noexcept { return place_; }
    unique_fd take_socket() noexcept { return std::move(socket_); }

   private:
    server_lane* lane_;
    unique_fd socket_;
    std::size_t place_ = no_place;
  };

  // The keeper: the fiber that does what other loops, and stages, want of this one.
  void keep(std::optional<counted_in>& opening);
  void open();
  void obey(server_stage stage) noexcept;
  void take_given();
  /// Nobody takes what is given from here on.
  void close_door() noexcept;

  void accept_all();
  void accept_one();
  /// Has it served here. False, and nothing happens, where that cannot be any more. Any loop.
  bool give(unique_fd& socket);
  void begin(guest one) noexcept;
  void serve(net::stream peer, std::size_t place);
  void serve_http2(transport peer, std::string_view received, std::size_t place);
  /// With a handshake where there is TLS. Throws weft::error.
  transport opened(net::stream peer, std::size_t place);
  void refuse(unique_fd socket) noexcept;
  void tell_connections() noexcept;
  void end_connections(bool only_idle) noexcept;

  server_core& core_;
  net::bound_socket socket_;  // until it is open
  std::optional<net::listener> listener_;
  detail::admission admission_;
  client_watch clients_;
  fiber<void> acceptor_;
  fiber<void> measuring_;
  fiber<void> watching_;
  std::vector<served> served_;     // places; link is null where one is free or not begun
  std::vector<std::size_t> free_;  // places
  server_stage obeyed_ = server_stage::serving;
  lane_counters counters_;
  std::time_t date_second_ = 0;
  std::string date_line_;
  std::uint64_t random_[2];

  event wanted_;
  std::atomic<std::size_t> connections_{0};
  weft::detail::spin_lock door_;
  bool is_closed_ = false;    // guarded by door_
  std::vector<guest> given_;  // guarded by door_
};

}  // namespace weft::inline v1::http::detail
