#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/http/websocket.hpp>
#include <weft/net/stream.hpp>

#include "http/byte_buffer.hpp"
#include "http/websocket/frame.hpp"

namespace weft::http {

/// One side of a WebSocket connection, behind its handshake.
class websocket::impl final : detail::switched_protocol {
 public:
  /// The server's side, on the stream of `host`, which it says goodbye to at its end.
  impl(detail::protocol_host& host, std::string_view answer, const websocket_options& options,
       std::string protocol);
  /// The client's side. `received` is what came behind the handshake.
  impl(net::stream connected, std::string_view received, const websocket_options& options,
       std::string protocol);
  ~impl();

  std::optional<websocket_message> read();
  void send(detail::opcode what, std::string_view payload);
  void close(int code, std::string_view reason);
  void drop(int code) noexcept;

  bool is_open() const noexcept { return !ended_ && !said_close_ && !cut_; }
  int close_code() const noexcept { return close_code_; }
  const std::string& close_reason() const noexcept { return close_reason_; }
  const std::string& protocol() const noexcept { return protocol_; }

 private:
  // Reading.
  void keep(std::string_view received);
  std::optional<websocket_message> read_on();
  bool begin_frame();
  void take_payload();
  std::optional<websocket_message> end_frame();
  void answer_control();
  void take_close();
  void fill();
  void take_end_of_stream();
  void await_close();
  [[noreturn]] void fail(int code, const char* why);

  // Writing.
  void write_frame(detail::opcode what, std::string_view payload, steady_time until);
  detail::frame_mask next_mask();
  void send_close(int code, std::string_view reason, steady_time until);
  void leave() noexcept override;
  void end(int code) noexcept;

  websocket_options options_;
  std::string protocol_;
  detail::protocol_host* host_ = nullptr;    // server
  std::unique_ptr<net::stream> connection_;  // client
  net::stream& stream_;

  detail::byte_buffer buffer_;
  bool reading_ = false;
  bool in_frame_ = false;
  detail::frame_head frame_;
  std::uint64_t taken_ = 0;  // of the frame's payload
  bool in_message_ = false;
  websocket_message message_;  // so far
  std::string control_;        // payload of a control frame so far
  bool asked_ = false;         // by a ping, and nothing came since

  mutex writing_;
  std::array<std::byte, 256> masks_{};
  std::size_t masks_left_ = 0;
  bool cut_ = false;  // in the middle of a frame
  bool said_close_ = false;
  bool leaving_ = false;
  steady_time close_by_ = no_deadline;

  bool ended_ = false;
  event end_;
  int close_code_ = 0;
  std::string close_reason_;
};

}  // namespace weft::http
