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

#include "http/byte_buffer.hpp"
#include "http/transport.hpp"
#include "http/websocket/frame.hpp"
#include "http/websocket/permessage_deflate.hpp"

namespace weft::inline v1::http {

/// One side of a WebSocket connection, behind its handshake.
class websocket::impl final : detail::switched_protocol {
 public:
  /// The server's side, on the stream of `host`, which gets it back at the end.
  impl(detail::protocol_host& host, std::string_view answer, const websocket_options& options,
       std::string protocol, const std::optional<detail::deflate_agreement>& deflate);
  /// The client's side. `received` is what came behind the handshake.
  impl(detail::transport connected, std::string_view received, const websocket_options& options,
       std::string protocol, const std::optional<detail::deflate_agreement>& deflate);
  ~impl();

  std::optional<websocket_message> read();
  void send(detail::opcode what, std::string_view payload);
  void close(int code, std::string_view reason);
  void drop(int code) noexcept;

  bool is_open() const noexcept { return !ended_ && !said_close_ && !cut_; }
  int close_code() const noexcept { return close_code_; }
  const std::string& close_reason() const noexcept { return close_reason_; }
  const std::string& protocol() const noexcept { return protocol_; }
  bool is_compressed() const noexcept { return deflate_.has_value(); }

 private:
  template <typename Work>
  auto from_peer(Work&& work);

  // Reading.
  std::optional<websocket_message> read_on();
  bool begin_frame();
  void take_payload();
  std::optional<websocket_message> end_frame();
  void unpack(websocket_message& whole);
  void answer_control();
  void take_close();
  void fill();
  std::optional<std::size_t> receive(steady_time until);
  void take_silence();
  void take_end_of_stream();
  void await_close();
  [[noreturn]] void fail(int code, const char* why);

  // Writing. What a reader has to say is due until somebody can write it: a reader waits for no writer, as
  // two sides that both write would wait for each other.
  struct cut_guard;

  bool may_write() const noexcept { return !cut_ && !said_close_; }
  void write_message(detail::opcode what, std::string_view payload, steady_time until);
  void write_frame(detail::opcode what, std::string_view payload, steady_time until,
                   bool is_compressed = false);
  std::string frame_bytes(detail::opcode what, std::string_view payload, bool is_compressed = false);
  detail::frame_mask next_mask();
  void flush_due(steady_time until) noexcept;
  void write_due(steady_time until) noexcept;
  bool write_control(detail::opcode what, std::string_view payload, steady_time until);
  void cut() noexcept;

  // The end.
  void end(int code) noexcept;
  void leave() noexcept override;
  void end_now() noexcept override;
  detail::transport* lent() noexcept override { return &stream_; }
  void give_back() noexcept;

  websocket_options options_;
  std::string protocol_;
  bool is_server_;
  std::optional<detail::message_deflate> deflate_;  // where it was agreed on
  detail::protocol_host* host_ = nullptr;           // server, until it ends
  detail::transport stream_;

  detail::byte_buffer buffer_;
  bool reading_ = false;
  bool in_frame_ = false;
  detail::frame_head frame_;
  std::uint64_t taken_ = 0;  // of the frame's payload
  bool in_message_ = false;
  websocket_message message_;  // so far
  bool message_is_compressed_ = false;
  std::string control_;  // payload of a control frame so far
  unsigned frames_ = 0;
  bool asked_ = false;  // by a ping, and nothing came since

  mutex writing_;
  std::array<std::byte, 256> masks_{};
  std::size_t masks_left_ = 0;
  std::optional<std::string> pong_due_;
  std::string close_due_;  // its payload; empty: none
  bool cut_ = false;       // in the middle of a frame
  bool said_close_ = false;
  bool leaving_ = false;
  steady_time close_by_ = no_deadline;

  bool ended_ = false;
  event end_;
  int close_code_ = 0;
  std::string close_reason_;
};

}  // namespace weft::inline v1::http
