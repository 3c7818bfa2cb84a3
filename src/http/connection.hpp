#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>
#include <weft/http/router.hpp>
#include <weft/net/stream.hpp>

#include "http/byte_buffer.hpp"
#include "http/chunk_decoder.hpp"
#include "http/head_parser.hpp"
#include "http/server_core.hpp"

namespace weft::http::detail {

/// One connection of a server, served by one fiber: read a request, run its handler, answer, repeat.
///
/// A request is parsed where it was received; its views stay valid until it is answered. Answers to
/// pipelined requests gather in `corked_` and go out together before the next read that waits.
class connection final : body_sink {
 public:
  connection(server_core& core, net::stream peer);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Serves until one side has had enough. Throws weft::error where the connection breaks.
  void run();
  /// Ends the connection if no request is under way. Called by another fiber.
  void end_if_idle() noexcept;

 private:
  enum class filled : unsigned char { data, ended, timed_out };

  bool serve_one();
  // Reading. False: the connection is over, and everything about that is done.
  bool read_head();
  bool read_body();
  bool read_counted_body(steady_time until);
  bool read_chunked_body(steady_time until);
  bool fill_body(steady_time until);
  filled fill(steady_time until);

  // Answering.
  void call_handler();
  void run_handler(request& in);
  void answer_without_handler();
  bool send_answer();
  bool finish_stream();
  void append_head(std::string& out, bool has_length);
  void write_piece(response& of, std::string_view piece) override;
  void send(std::string_view first, std::string_view second = {}, std::string_view third = {});
  void flush();
  bool refuse(const refusal& why);
  void linger();

  bool is_head_request() const noexcept { return parser_.head().method == "HEAD"; }

  server_core& core_;
  net::stream stream_;
  byte_buffer buffer_;
  request_parser parser_;
  chunk_decoder decoder_;
  router::match match_;
  response answer_;
  std::string id_;
  std::string head_;    // of an answer
  std::string corked_;  // answers that wait for the next flush
  std::string_view body_;
  std::size_t message_bytes_ = 0;  // of the request in the buffer
  bool first_ = true;              // no request came yet
  bool idle_ = false;              // waits for a request
  bool keeps_alive_ = true;
  bool broken_ = false;  // a streamed answer was cut short
};

}  // namespace weft::http::detail
