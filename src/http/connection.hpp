#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>
#include <weft/http/router.hpp>
#include <weft/net/stream.hpp>

#include "http/body_reader.hpp"
#include "http/byte_buffer.hpp"
#include "http/corked_stream.hpp"
#include "http/head_parser.hpp"
#include "http/server_core.hpp"

namespace weft::http::detail {

/// One connection of a server, served by one fiber: read a request, run its handler, answer, repeat.
///
/// A request is parsed where it was received; its views stay valid until it is answered.
class connection final : body_sink {
 public:
  connection(server_core& core, net::stream peer);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Serves until one side has had enough. Throws weft::error where the connection breaks.
  void run();
  /// Ends the connection if no request is under way, or asks another protocol to. Called by another fiber.
  void end_soon() noexcept;

 private:
  enum class filled : unsigned char { data, ended, timed_out };

  bool serve_one();
  // Reading. False: the connection is over, and everything about that is done.
  bool read_head();
  bool is_too_large() const noexcept;
  void start_body();
  bool is_body_in_order();
  /// Behind this request begins the next one.
  void forget_request();
  filled fill(steady_time until);

  // Answering.
  void call_handler();
  void run_handler(request& in);
  steady_time handler_deadline() const;
  bool end_other_protocol();
  void answer_without_handler();
  void send_answer();
  void finish_stream();
  bool more_is_here() const noexcept;
  void append_head(std::string& out, bool has_length);
  void write_piece(response& of, std::string_view piece) override;
  net::stream switch_protocol(std::string_view answer) override;
  std::string_view received() const noexcept override;
  void set_switched(switched_protocol& to) noexcept override;
  void take_back(net::stream lent) noexcept override;
  bool refuse(const refusal& why);
  void linger();

  bool is_head_request() const noexcept { return parser_.head().method == "HEAD"; }

  server_core& core_;
  corked_stream stream_;
  byte_buffer buffer_;
  request_parser parser_;
  body_reader body_;
  router::match match_;
  response answer_;
  std::string id_;
  std::string head_;   // of an answer
  bool first_ = true;  // no request came yet
  bool idle_ = false;  // waits for a request
  bool keeps_alive_ = true;
  bool over_ = false;  // a streamed answer was cut short, or HTTP is over
  bool was_switched_ = false;
  switched_protocol* switched_ = nullptr;
};

}  // namespace weft::http::detail
