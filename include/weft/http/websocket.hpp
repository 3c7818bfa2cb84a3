#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/core/unwinding.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>
#include <weft/net/tls/context.hpp>

namespace weft::inline v1::http {

/// What a message is: text is UTF-8.
enum class websocket_kind : unsigned char { text, binary };

struct websocket_message {
  websocket_kind kind = websocket_kind::text;
  std::string data;
};

/// How messages are compressed (permessage-deflate, RFC 7692).
///
/// Without keeps_context a connection has no memory for it between messages, and about 300 KiB while one is
/// packed or unpacked. With it small messages that are alike become much smaller, and each connection has 300
/// KiB for good: 260 to pack with 15 window_bits and 130 with 9, and 40 to unpack.
struct websocket_compression {
  int level = 5;                ///< 1 (fast) to 9 (small)
  std::size_t bytes_min = 256;  ///< messages below are sent as they are
  bool keeps_context = false;   ///< look back into messages before, where the peer does not mind
  int window_bits = 15;         ///< 9 to 15: how far to look back
};

/// Bounds of a WebSocket connection. A time of zero means no bound.
struct websocket_options {
  std::size_t message_bytes_max =
      1024 * 1024;  ///< of one that is received: the connection is closed with 1009
  /// After so long a silence of the peer read() asks it by a ping whether it is still there; after as long
  /// again the connection is broken.
  std::chrono::milliseconds ping_after{30'000};
  std::chrono::milliseconds write_timeout{30'000};  ///< for one message, the wait for other writers included
  std::chrono::milliseconds connect_timeout{10'000};  ///< client: to the end of the handshake
  std::chrono::milliseconds close_timeout{5'000};     ///< for the peer's answer to a close
  /// Client: how wss:// is done; nothing: with net::tls::client_context::common().
  std::optional<net::tls::client_context> tls = {};
  /// Client: goes through this proxy, in a tunnel: as client_options::proxy. Empty: none.
  std::string proxy = {};
  /// Client: without one, the proxy that the environment names: as client_options::proxy_from_environment,
  /// http_proxy for ws:// and https_proxy for wss://.
  bool proxy_from_environment = false;
  /// Subprotocols, the best first. A server takes its first that the client offers, a client offers them all.
  std::vector<std::string> protocols = {};
  /// Server: who may connect from a web page besides pages of the same host, e.g. "https://example.org"; "*"
  /// for all. Programs, which send no Origin, always may. Without this any page could act for its visitor.
  std::vector<std::string> origins = {};
  /// Messages are compressed where the peer does so, too. Off by default: what an attacker can have beside a
  /// secret in one message tells of it by the length, and a message costs up to 1000 times its bytes once it
  /// is unpacked (message_bytes_max holds for what comes and for what it becomes).
  std::optional<websocket_compression> compression = {};
};

/// A WebSocket connection (RFC 6455), of a server's handler or a client.
///
///     server.websocket("/echo", [](weft::http::websocket& socket) {
///       while (auto message = socket.read()) socket.send(message->data);
///     });
///
/// One task may read while any number of others write: a message is sent whole. Pings are answered, and a
/// close is, while somebody reads. Waits are cancellation points; a read that was cancelled has lost nothing,
/// a write that was cancelled in the middle of a message ends the connection.
///
/// Errors: weft::error; malformed (1002, 1007) or too_large (1009) for what the peer sent, unavailable where
/// it left without a close, timed_out; the connection is closed by then.
///
/// Lifetime: a server's is closed when its handler returns, also one that was moved elsewhere; of no use
/// after that, and after it was moved from (misuse). No task may be in a call of it when it is destroyed.
/// Thread-safety: none; used from the thread of the run it was made in.
class websocket {
 public:
  class impl;

  explicit websocket(std::unique_ptr<impl> made) noexcept;
  websocket(websocket&&) noexcept;
  websocket& operator=(websocket&&) noexcept;
  /// Closes one that is open, with 1001, and waits for nobody.
  ~websocket();

  /// `url` is "ws://host:port/path", with port 80 where it is left out, or "wss://", with TLS and port 443.
  /// `headers` go along. Throws weft::error: as net::stream::connect, and refused where the server does not
  /// want to.
  static websocket connect(std::string_view url, websocket_options options = {},
                           const std::vector<std::pair<std::string, std::string>>& headers = {});

  /// The next message. Nothing once the peer has closed, or close() was called, or the server stops.
  std::optional<websocket_message> read();

  /// Sends text, which must be UTF-8 (invalid_argument). Throws weft::error (closed) after the end.
  void send(std::string_view text);
  void send_binary(std::string_view bytes);

  /// Says that this side is done, and waits for the peer to say so too, at most for close_timeout; what it
  /// sent meanwhile is dropped. `code` is 1000 to 1003, 1007 to 1014 or 3000 to 4999, `reason` UTF-8 of at
  /// most 123 bytes; else invalid_argument. Calling it again has no effect.
  void close(int code = 1000, std::string_view reason = {});

  bool is_open() const noexcept;
  /// What the peer said at its end: 1005 for nothing, 1006 where it left without a word, 0 before.
  int close_code() const;
  const std::string& close_reason() const;
  /// The subprotocol that was agreed on; empty for none.
  const std::string& protocol() const;
  /// Do both sides compress messages?
  bool is_compressed() const;

  /// Ends it without waiting, as after a failure.
  void drop(int code) noexcept;

 private:
  impl& self() const;

  std::unique_ptr<impl> impl_;
};

/// Makes the connection of a GET request a WebSocket: for handlers that look at the request first. The
/// connection is only that from now on. The handler's deadline, of handler_timeout or of the request, is over
/// with that, until the innermost scope of the context around this call ends; the bounds of `options` hold,
/// and those that the handler sets itself. Refuses by status_error: 400 for a bad handshake, 426 for one that
/// is none or of another version, 403 for a page of another origin.
websocket accept_websocket(request& in, response& out, const websocket_options& options = {});

namespace detail {

/// A handler of a route that accepts WebSockets for `work`.
template <typename Function>
auto make_websocket_handler(Function&& function, websocket_options options) {
  using held = std::decay_t<Function>;
  return [work = held(std::forward<Function>(function)), options = std::move(options)](
             request& in, response& out) mutable {
    websocket socket = accept_websocket(in, out, options);
    try {
      if constexpr (std::is_invocable_v<held&, websocket&, request&>) {
        work(socket, in);
      } else {
        static_assert(std::is_invocable_v<held&, websocket&>,
                      "weft::http: a WebSocket handler takes (http::websocket&) or (http::websocket&, "
                      "http::request&)");
        work(socket);
      }
    } catch (const unwinding&) {
      throw;  // cancelled, or an exit
    } catch (...) {
      socket.drop(1011);
      throw;
    }
    socket.close();
  };
}

}  // namespace detail
}  // namespace weft::inline v1::http
