#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <utility>

#include <weft/fiber/channel.hpp>
#include <weft/http/server.hpp>
#include <weft/http/websocket.hpp>

namespace chat {

/// Who is here, and what one says to all, also to the guests of rooms elsewhere. Used from one thread.
///
/// Each guest has a bounded line of what is still to be sent to it. Who does not read in time is put out, so
/// that nobody waits for a slow one.
class room {
 public:
  /// `tell_elsewhere` has what guests of this room say heard by others.
  explicit room(std::function<void(const std::string&)> tell_elsewhere = {})
      : tell_elsewhere_(std::move(tell_elsewhere)) {}

  /// Serves one guest until it leaves.
  void host(weft::http::websocket& socket, std::string_view name);
  /// Something was said elsewhere.
  void hear(const std::string& what);
  std::size_t guests() const noexcept { return guests_.size(); }

 private:
  static constexpr std::size_t unread_max = 64;
  using line = weft::channel<std::string>;

  void say(const std::string& what);

  std::function<void(const std::string&)> tell_elsewhere_;
  std::list<line*> guests_;
};

/// GET / is the page, /room?name=NAME the WebSocket.
void add_routes(weft::http::server& server, room& where);

/// The page for a browser.
std::string_view page() noexcept;

/// Guests that talk to each other at `address`, "host:port". 0: each of them heard all there was to hear.
int run_demo(const std::string& address, const room& where);

}  // namespace chat
