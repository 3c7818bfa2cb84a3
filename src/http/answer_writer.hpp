#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/http/response.hpp>
#include <weft/net/files.hpp>

#include "http/handler_scope.hpp"
#include "http/head_parser.hpp"
#include "http/server_lane.hpp"

namespace weft::inline v1::http::detail {

/// The answering side of a request: what a handler made of its response goes out, whole or piece by piece, in
/// the form that a protocol gives it, which is a derived class.
///
/// For each request: begin(), then whatever fills answer(), then finish() unless is_over().
class answer_writer : protected body_sink {
 public:
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
  /// Has the peer gone, or stopped to read, in the middle of what was sent to it?
  virtual bool has_lost_peer() const noexcept = 0;

  /// Where the handler runs; until a call with nothing. From the first part of a file on, write_timeout is
  /// what bounds the answer, and no longer the handler's deadline.
  void set_handler_scope(handler_scope scope) noexcept { handler_scope_ = scope; }

  /// The handler has returned: sends what is left of a body that it streamed.
  void end_body();
  /// Was an answer begun, and not ended? Nothing may say that it is whole.
  bool is_cut_short() const noexcept { return answer_.is_streaming() && !body_ended_; }

 protected:
  answer_writer(server_lane& lane, const request_head& asked) noexcept : lane_(lane), asked_(asked) {}
  ~answer_writer() = default;

  /// Sends what is not sent yet.
  void finish_answer();
  /// Counts a request that is not served, and makes the answer to it.
  void make_refusal(const refusal& why);
  /// Takes down what of the answer goes out.
  void note_sent(std::size_t body_bytes) noexcept;

  // What a protocol does.
  virtual void send_whole() = 0;
  /// A streamed body begins; the head is made, and goes out with the first piece.
  virtual void begin_stream_form() = 0;
  /// The head, where `with_head`, and a piece, which may be empty then.
  virtual void send_form(bool with_head, std::string_view piece) = 0;
  /// Can a part of a file go out without being read by this process? send_file() then does that: false where
  /// the file is shorter.
  virtual bool sends_files() const noexcept { return false; }
  virtual bool send_file(files::file&, std::uint64_t, std::uint64_t) { return false; }
  /// The end of a streamed body, with its trailers; not `is_whole` where its length was said and is another.
  virtual void end_stream_form(bool is_whole) = 0;
  virtual bool may_have_trailers() const noexcept = 0;

  bool may_have_body() const noexcept { return answer_.status() != 204 && answer_.status() != 304; }
  bool sends_body() const noexcept { return may_have_body() && asked_.method != "HEAD"; }
  /// The trailers, for a client that takes them.
  std::string_view wanted_trailers() noexcept;
  /// The length that the head of a whole answer says. That to HEAD may say what it would have.
  std::uint64_t said_length() const noexcept;
  /// Does the head say that the body is plain text?
  bool is_plain_text(std::optional<std::uint64_t> length) noexcept;
  void set_over_status(int status) noexcept {
    over_ = true;
    sent_status_ = status;
  }

  server_lane& lane_;
  const request_head& asked_;
  response answer_;
  std::string id_;
  std::optional<std::uint64_t> left_;  // of a streamed body whose length was said
  handler_scope handler_scope_;

 private:
  void write_piece(response& of, std::string_view piece) override;
  bool write_file(response& of, files::file& from, std::uint64_t offset, std::uint64_t bytes) override;
  void add_filter(std::unique_ptr<body_filter> filter) override { filters_.push_back(std::move(filter)); }

  void begin_writing(response& of);
  void count_off(std::uint64_t bytes);
  void forget_stream() noexcept;
  void begin_stream();
  void send_piece(std::string_view piece);
  void finish_stream();
  bool takes_trailers() const noexcept;
  void announce_trailers();
  /// What the filters make of a piece; with `ends` also what they kept back.
  std::string_view filtered(std::string_view piece, bool ends);

  std::vector<std::unique_ptr<body_filter>> filters_;  // the one nearest to the handler is last
  std::string piece_;                                  // after the filters
  std::string unfiltered_;
  int sent_status_ = 0;
  std::uint64_t sent_body_bytes_ = 0;
  bool sends_files_ = false;
  bool head_waits_ = false;  // of a streamed answer: it was made, and not sent
  bool began_ = false;       // begin_stream was called
  bool body_ended_ = false;  // of a stream
  bool over_ = false;
};

}  // namespace weft::inline v1::http::detail
