#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/http/client.hpp>

#include "http/byte_buffer.hpp"
#include "http/chunk_decoder.hpp"
#include "http/head_parser.hpp"
#include "http/transport.hpp"

namespace weft::inline v1::http::detail {

/// What goes out with a request.
struct outgoing_request {
  std::string_view method;
  std::string head;
  std::string_view body = {};
  const body_pieces* pieces = nullptr;       ///< in place of the body, in chunks
  const request_options* options = nullptr;  ///< for the trailers behind the pieces
  bool pieces_were_asked = false;            ///< there is no way back
  bool pieces_failed = false;                ///< by an exception, which is not the client's
};

/// A connection of a client, perhaps not connected yet: a request, its response, and so on.
class client_link {
 public:
  explicit client_link(const limits& bounds);

  bool is_connected() const noexcept { return stream_.is_open(); }
  /// In place of a former connection.
  void connect(transport connected) noexcept;
  void close() noexcept { stream_.close(); }
  /// Connected, with nothing received since?
  bool is_quiet() noexcept { return is_connected() && stream_.is_quiet(); }

  /// How an exchange ended that gave no response.
  enum class failed : unsigned char {
    no,
    unsent,      ///< the peer had closed before it had the request's head
    unanswered,  ///< the peer closed without a byte of a response; it may have served the request
  };
  /// Sends a request and reads the head of its response. Throws weft::error for what a repetition cannot
  /// mend.
  failed begin(outgoing_request& request, steady_time until);
  /// Of the response; its fields are valid until the body is read.
  const response_head& head() const noexcept { return parser_.head(); }

  /// The next piece of the response's body; empty at its end. Valid until the next call.
  std::string_view read_piece(std::size_t bytes_max, steady_time until);
  /// What came behind the body, as "Name: value\r\n" each; once that was read to its end.
  std::string take_trailers() noexcept { return decoder_.take_trailers(); }
  /// Was all of the response read, and may the next request go over it?
  bool is_reusable() const noexcept { return ended_ && sent_ && head().keep_alive && buffer_.empty(); }

 private:
  bool send(outgoing_request& request, steady_time until);
  void send_pieces(outgoing_request& request, steady_time until);
  void write(std::span<const std::string_view> pieces, steady_time until);
  bool read_head(std::string_view method, steady_time until);
  std::string_view take_counted(steady_time until);
  std::string_view take_chunked(steady_time until);
  std::string_view take_rest(steady_time until);
  void end_body() noexcept;
  /// False: the peer has ended.
  bool fill(steady_time until);
  void fill_body(steady_time until);

  transport stream_;
  byte_buffer buffer_;
  response_parser parser_;
  chunk_decoder decoder_;
  std::uint64_t left_ = 0;  // of a counted body
  std::size_t read_ = 0;    // of the body
  bool begun_ = false;      // a piece of the body was asked for
  bool ended_ = false;      // all of the response was read
  bool sent_ = false;       // all of the request was
  bool reached_ = false;    // the peer may have its head
};

}  // namespace weft::inline v1::http::detail
