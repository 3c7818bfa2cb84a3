#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/fiber/wait_group.hpp>
#include <weft/http/server.hpp>

#include "http/admission.hpp"
#include "http/client_watch.hpp"

namespace weft::http::detail {

class connection;
class transport;

/// What a server's fibers share. One thread.
class server_core {
 public:
  explicit server_core(server_options options);

  const server_options& options() const noexcept { return options_; }
  http::router& routes() noexcept { return routes_; }
  server_statistics& statistics() noexcept { return statistics_; }
  detail::admission& admission() noexcept { return admission_; }
  client_watch& clients() noexcept { return clients_; }
  bool is_stopping() const noexcept { return stopping_; }
  const net::listener* listener() const noexcept { return listener_ ? &*listener_ : nullptr; }

  void start();
  void wait() { running_.wait(); }
  bool stop(std::chrono::milliseconds grace);

  /// The Date header's line, made anew once a second.
  std::string_view date_line();
  /// A request id that does not repeat: 15 letters and digits, which a std::string keeps inside.
  std::string make_request_id() noexcept;

 private:
  /// A connection's place in the list.
  struct served {
    connection* link = nullptr;  // on its fiber's stack; null before it begins
    bool in_handshake = false;
    fiber<void> handle;
  };
  /// One of running_, and, for a connection, its place: given back when the fiber ends, and also when
  /// it is cancelled before it began.
  class seat {
   public:
    static constexpr std::size_t no_place = ~std::size_t{0};
    explicit seat(server_core& core, std::size_t place = no_place) noexcept;
    seat(seat&& other) noexcept : core_(std::exchange(other.core_, nullptr)), place_(other.place_) {}
    seat& operator=(seat&&) = delete;
    ~seat();
    std::size_t place() const noexcept { return place_; }

   private:
    server_core* core_;
    std::size_t place_;
  };

  void accept_all();
  void accept_one();
  void serve(net::stream peer, std::size_t place);
  /// With a handshake where there is TLS. Throws weft::error.
  transport opened(net::stream peer, std::size_t place);
  void refuse(net::stream& peer) noexcept;
  void end_connections(bool only_idle) noexcept;

  server_options options_;
  http::router routes_;
  detail::admission admission_;
  client_watch clients_;
  std::optional<net::listener> listener_;
  fiber<void> acceptor_;
  fiber<void> measuring_;
  fiber<void> watching_;
  wait_group running_;             // the fibers of this object
  std::vector<served> served_;     // places; link is null where one is free or not begun
  std::vector<std::size_t> free_;  // places
  semaphore handshakes_;
  bool stopping_ = false;
  server_statistics statistics_;
  std::time_t date_second_ = 0;
  std::string date_line_;
  std::uint64_t random_[2];
};

}  // namespace weft::http::detail
