#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weft/http/http2_options.hpp>

struct nghttp2_session;

namespace weft::inline v1::http::detail::h2 {

using stream_id = std::int32_t;

/// Why a stream or a connection ends (RFC 9113, 7).
enum class error_code : std::uint32_t {
  no_error = 0,
  protocol_error = 1,
  internal_error = 2,
  flow_control_error = 3,
  stream_closed = 5,
  refused_stream = 7,
  cancel = 8,
  enhance_your_calm = 11,
};

/// What a session tells, and asks; called inside its receive() and next_out(). What they throw comes out of
/// those.
class session_events {
 public:
  /// A frame that carries nothing of a request, or next to nothing, came.
  virtual void control_frame() = 0;
  virtual void head_begins(stream_id id) = 0;
  virtual void field(stream_id id, std::string_view name, std::string_view value) = 0;
  virtual void head_ends(stream_id id, bool request_ends) = 0;
  virtual void trailer(stream_id id, std::string_view name, std::string_view value) = 0;
  virtual void data(stream_id id, std::string_view piece) = 0;
  /// Nothing more of the request comes.
  virtual void request_ends(stream_id id) = 0;
  /// The client gives a request up, or what is left of one.
  virtual void request_reset() = 0;
  /// A request is one too many: the client did not look at what it may send.
  virtual void request_refused() = 0;
  /// A stream does not keep to the protocol, and was reset by this side.
  virtual void stream_broken() = 0;
  virtual void stream_closed(stream_id id) = 0;
  /// The client is told that the connection ends.
  virtual void went_away(error_code why) = 0;

  struct taken {
    std::size_t bytes = 0;
    bool is_end = false;             ///< nothing comes behind them
    std::string_view trailers = {};  ///< at the end, as "name: value\r\n" each
  };
  /// Copies what is there of an answer's body. Nothing, and no end: resume() will be called.
  virtual taken take_body(stream_id id, std::span<char> into) = 0;
  /// All of the answer is on its way.
  virtual void answer_sent(stream_id id) = 0;

 protected:
  ~session_events() = default;
};

/// The server's side of the protocol, by nghttp2: bytes in, bytes out, no input and output of its own. The
/// only class that knows nghttp2. Not thread-safe; inside the events neither receive() nor next_out() may be
/// called.
class session {
 public:
  /// What the client is told that it may send.
  struct bounds {
    http2_options options;
    std::size_t head_bytes_max;
  };
  session(session_events& events, const bounds& within);
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session();

  /// Why a connection cannot go on.
  struct fault {
    const char* why;  ///< a literal
    error_code code;
  };
  /// Bytes came. What is wrong with them, where nghttp2 does not tell the client itself.
  std::optional<fault> receive(std::string_view bytes);
  /// The next bytes to send; empty for none now. Valid until the next call.
  std::string_view next_out();
  /// How many frames wait for next_out().
  std::size_t waiting() const noexcept;
  /// False: nothing that comes is of use any more.
  bool wants_more() const noexcept;

  /// Begins an answer; `lines` as "Name: value\r\n" each. With a body take_body() is asked for it.
  void answer(stream_id id, int status, std::string lines, bool has_body);
  /// An answer before the answer: 100.
  void interim(stream_id id, int status);
  /// Does the client take more of that answer's body, as far as the stream is concerned?
  bool has_window(stream_id id) const noexcept;
  /// take_body() has something again.
  void resume(stream_id id) noexcept;
  void reset(stream_id id, error_code why) noexcept;
  /// So much of a body was read: the client may send as much again.
  void consumed(stream_id id, std::size_t bytes) noexcept;
  /// Came, and may lie for long, but not on the account of all.
  void received_of_all(std::size_t bytes) noexcept;

  /// Asks the client to send no more requests; those that it sent by now are served.
  void announce_end() noexcept;
  /// The client is told that no later request is served than the last that has begun. Those that come
  /// until it is sent have to be reset (refused_stream).
  void go_away(error_code why = error_code::no_error) noexcept;
  /// The connection ends at once, for that reason.
  void terminate(error_code why) noexcept;

 private:
  struct callbacks;
  friend struct callbacks;
  template <typename Call>
  int guarded(Call&& call) noexcept;
  void rethrow();

  session_events& events_;
  nghttp2_session* session_ = nullptr;
  std::exception_ptr failure_;  // of an event
};

}  // namespace weft::inline v1::http::detail::h2
