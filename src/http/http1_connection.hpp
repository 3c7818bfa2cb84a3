#pragma once

#include <weft/core/clock.hpp>

#include "http/body_reader.hpp"
#include "http/byte_buffer.hpp"
#include "http/corked_stream.hpp"
#include "http/exchange.hpp"
#include "http/head_parser.hpp"
#include "http/http1_answer_writer.hpp"
#include "http/served_link.hpp"
#include "http/server_lane.hpp"

namespace weft::inline v1::http::detail {

/// One connection of a server that speaks HTTP/1, served by one fiber: read a request, run its handler,
/// answer, repeat.
///
/// A request is parsed where it was received; its views stay valid until it is answered.
class http1_connection final : public served_link {
 public:
  http1_connection(server_lane& lane, transport peer);
  http1_connection(const http1_connection&) = delete;
  http1_connection& operator=(const http1_connection&) = delete;

  ~http1_connection();

  /// Serves until one side has had enough. Throws weft::error where the connection breaks.
  void run();
  /// The client speaks HTTP/2: nothing was answered. What it sent so far, and the connection, are to be
  /// handed on.
  bool found_http2() const noexcept { return found_http2_; }
  std::string_view received() const noexcept { return buffer_.readable(); }
  transport take_transport() noexcept { return std::move(stream_.peer()); }
  /// Each answer says so.
  void stop_begins() noexcept override {}
  /// Or asks another protocol to end.
  void end_soon() noexcept override;

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

  bool answer();
  bool skip_body();
  bool refuse(const refusal& why);
  bool is_http2() const noexcept;
  void linger();

  server_lane& lane_;
  corked_stream stream_;
  byte_buffer buffer_;
  request_parser parser_;
  body_reader body_;
  http1_answer_writer writer_;
  exchange exchange_;
  bool first_ = true;  // no request came yet
  bool idle_ = false;  // waits for a request
  bool found_http2_ = false;
};

}  // namespace weft::inline v1::http::detail
