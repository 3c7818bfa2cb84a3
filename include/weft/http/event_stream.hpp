#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>

namespace weft::inline v1::http {

/// One server-sent event.
struct server_event {
  std::string_view data = {};  ///< any text, also of several lines
  std::string_view name = {};  ///< without line breaks; empty: "message"
  std::string_view id =
      {};  ///< comes back as last_id() when the client connects again; no line breaks, no zero
  std::optional<std::chrono::milliseconds> retry =
      {};  ///< how long the client waits before it connects again
};

struct event_stream_options {
  std::chrono::milliseconds keep_alive{15'000};  ///< a comment is sent so often; zero: none
};

/// An answer that is a stream of server-sent events (EventSource in browsers):
///
///     server.get("/ticks", [](http::request& in, http::response& out) {
///       http::event_stream events(in, out);
///       for (int i = 0; events.wait_for(1s); ++i) events.send(std::to_string(i));
///     }, {.handler_timeout = 0ms});
///
/// It ends when the client has gone, which is seen at once where the system tells and else by the next
/// comment, or when the server stops: send() gives false then, and ended() is set. Wait for it beside what
/// the events come from, e.g. with a select. A client that does not read makes send() wait, and is given up
/// after write_timeout.
///
/// Thread-safety: none, but a comment may be sent while the handler does something else. Lifetime: within the
/// handler, whose route has no handler_timeout. Cancellation: a send() that was cancelled has ended it.
class event_stream final : private detail::switched_protocol {
 public:
  /// Sends the head of the answer.
  event_stream(request& in, response& out, event_stream_options options = {});
  event_stream(const event_stream&) = delete;
  event_stream& operator=(const event_stream&) = delete;
  ~event_stream();

  /// The id of the last event that the client has seen, before it lost its connection; empty for a new one.
  const std::string& last_id() const noexcept { return last_id_; }

  /// False where the stream has ended. Throws weft::error (invalid_argument) for line breaks in name or id.
  bool send(const server_event& one);
  bool send(std::string_view data) { return send(server_event{.data = data}); }

  bool is_open() const noexcept { return !ended_.is_set(); }
  event& ended() noexcept { return ended_; }
  /// Waits for `time`, or until it ends; true if it is open then.
  template <typename Rep, typename Period>
  bool wait_for(std::chrono::duration<Rep, Period> time) {
    return !ended_.wait_for(time);
  }

 private:
  void leave() noexcept override { ended_.set(); }
  void end_now() noexcept override { ended_.set(); }
  void tend(std::chrono::milliseconds keep_alive);
  bool write(std::string_view text);

  response& out_;
  detail::protocol_host* host_;
  std::string last_id_;
  mutex writing_;
  event ended_;
  fiber<void> tends_;
};

}  // namespace weft::inline v1::http
