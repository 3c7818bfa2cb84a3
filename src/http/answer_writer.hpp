#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/http/response.hpp>
#include <weft/net/files.hpp>

#include "http/body_reader.hpp"
#include "http/byte_buffer.hpp"
#include "http/corked_stream.hpp"
#include "http/handler_scope.hpp"
#include "http/head_parser.hpp"
#include "http/server_lane.hpp"
#include "http/transport.hpp"

namespace weft::inline v1::http::detail {

/// The answering side of a connection: what a handler made of its response goes out in the form that the
/// request asked for, whole or piece by piece; or the connection is handed to another protocol.
///
/// For each request: begin(), then whatever fills answer(), then finish() unless is_over().
class answer_writer final : body_sink {
 public:
  answer_writer(server_lane& lane, corked_stream& stream, const request_parser& asked, body_reader& body,
                const byte_buffer& received) noexcept
      : lane_(lane), stream_(stream), parser_(asked), body_(body), buffer_(received) {}
  answer_writer(const answer_writer&) = delete;
  answer_writer& operator=(const answer_writer&) = delete;

  /// A request came; `id` is what it is called.
  void begin(std::string id);
  const std::string& id() const noexcept { return id_; }
  response& answer() noexcept { return answer_; }

  /// A failure in place of what was made so far. Where a part has been sent, the answer is cut off.
  void fail(int status, std::string_view text);
  /// The status that was sent, whole or in part; 0 for none, 101 for another protocol.
  int sent_status() const noexcept { return sent_status_; }
  std::uint64_t sent_body_bytes() const noexcept { return sent_body_bytes_; }

  /// Nothing more can be answered: the answer was cut off, or HTTP is over.
  void cut_off() noexcept { over_ = true; }
  bool is_over() const noexcept { return over_; }

  /// Where the handler runs; until a call with nothing. From the first part of a file on, write_timeout is
  /// what bounds the answer, and no longer the handler's deadline.
  void set_handler_scope(handler_scope scope) noexcept { handler_scope_ = scope; }

  /// The handler has returned: sends what is left of a body that it streamed.
  void end_body();
  /// Was an answer begun, and not ended? Nothing may say that it is whole.
  bool is_cut_short() const noexcept { return answer_.is_streaming() && !body_ended_; }

  /// Sends what is not sent yet. True if the connection stays, as far as this answer goes.
  bool finish();
  /// Answers a request that is not served. The connection is to be closed behind it.
  void refuse(const refusal& why);

  /// What is here of the requests behind this one.
  std::string_view received() const noexcept override;

  /// Asks the other protocol, if any, to end soon.
  void leave() noexcept;
  /// After is_over(): ends the other protocol. True if its stream is here again, and open.
  bool end_other_protocol() noexcept;

 private:
  void write_piece(response& of, std::string_view piece) override;
  bool write_file(response& of, files::file& from, std::uint64_t offset, std::uint64_t bytes) override;
  void add_filter(std::unique_ptr<body_filter> filter) override { filters_.push_back(std::move(filter)); }
  transport switch_protocol(std::string_view answer) override;
  void set_switched(switched_protocol& to) noexcept override;
  void take_back(transport lent) noexcept override;
  void clear_switched() noexcept override { switched_ = nullptr; }
  transport& connection() noexcept override;

  /// Without a length the body is chunked, or ends with the connection.
  void append_head(std::string& out, std::optional<std::uint64_t> length);
  void begin_writing(response& of);
  void count_off(std::uint64_t bytes);
  void send_whole();
  void forget_stream() noexcept;
  void begin_stream();
  void send_piece(std::string_view piece);
  void send_head();
  void send_behind_head(std::string_view piece, std::string_view end);
  void finish_stream();
  bool takes_trailers() const noexcept;
  void announce_trailers();
  /// What the filters make of a piece; with `ends` also what they kept back.
  std::string_view filtered(std::string_view piece, bool ends);
  /// More requests are here already.
  bool more_is_here() const noexcept;
  bool may_have_body() const noexcept { return answer_.status() != 204 && answer_.status() != 304; }
  bool sends_body() const noexcept { return may_have_body() && parser_.head().method != "HEAD"; }
  bool is_chunked() const noexcept { return parser_.head().minor_version == 1 && !left_; }

  server_lane& lane_;
  corked_stream& stream_;
  const request_parser& parser_;
  body_reader& body_;
  const byte_buffer& buffer_;
  response answer_;
  std::string id_;
  std::string head_;                                   // of an answer; in a stream: what is not sent yet
  std::vector<std::unique_ptr<body_filter>> filters_;  // the one nearest to the handler is last
  std::string piece_;                                  // after the filters
  std::string unfiltered_;
  std::optional<std::uint64_t> left_;  // of a streamed body whose length was said
  int sent_status_ = 0;
  std::uint64_t sent_body_bytes_ = 0;
  handler_scope handler_scope_;
  bool sends_files_ = false;
  bool keeps_alive_ = true;
  bool began_ = false;       // begin_stream was called
  bool body_ended_ = false;  // of a stream
  bool over_ = false;
  bool was_switched_ = false;
  switched_protocol* switched_ = nullptr;
};

}  // namespace weft::inline v1::http::detail
