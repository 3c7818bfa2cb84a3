#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/answer_writer.hpp"
#include "http/body_reader.hpp"
#include "http/byte_buffer.hpp"
#include "http/corked_stream.hpp"
#include "http/transport.hpp"

namespace weft::inline v1::http::detail {

/// Answers in HTTP/1; or the connection is handed to another protocol.
///
/// For each request: start(), and then as answer_writer.
class http1_answer_writer final : public answer_writer {
 public:
  http1_answer_writer(server_lane& lane, corked_stream& stream, const request_parser& asked,
                      body_reader& body, const byte_buffer& received) noexcept
      : answer_writer(lane, asked.head()), stream_(stream), parser_(asked), body_(body), buffer_(received) {}

  void start() noexcept { keeps_alive_ = asked_.keep_alive; }
  /// Sends what is not sent yet. True if the connection stays, as far as this answer goes.
  bool finish();
  /// Answers a request that is not served. The connection is to be closed behind it.
  void refuse(const refusal& why);
  bool has_lost_peer() const noexcept override { return stream_.has_lost_peer(); }

  /// What is here of the requests behind this one.
  std::string_view received() const noexcept override;

  /// Asks the other protocol, if any, to end soon.
  void leave() noexcept;
  /// After is_over(): ends the other protocol. True if its stream is here again, and open.
  bool end_other_protocol() noexcept;

 private:
  void send_whole() override;
  void begin_stream_form() override;
  void send_form(bool with_head, std::string_view piece) override;
  bool sends_files() const noexcept override { return true; }
  bool send_file(files::file& from, std::uint64_t offset, std::uint64_t bytes) override {
    return stream_.send_file({}, from, offset, bytes);
  }
  void end_stream_form(bool is_whole) override;
  bool may_have_trailers() const noexcept override { return is_chunked(); }

  transport switch_protocol(std::string_view answer) override;
  void set_switched(switched_protocol& to) noexcept override;
  void take_back(transport lent) noexcept override;
  void clear_switched() noexcept override { switched_ = nullptr; }
  transport& connection() noexcept override;

  /// Without a length the body is chunked, or ends with the connection.
  void append_head(std::string& out, std::optional<std::uint64_t> length);
  /// More requests are here already.
  bool more_is_here() const noexcept;
  bool is_chunked() const noexcept { return asked_.minor_version == 1 && !left_; }

  corked_stream& stream_;
  const request_parser& parser_;
  body_reader& body_;
  const byte_buffer& buffer_;
  std::string head_;  // of an answer, and what frames a piece
  bool keeps_alive_ = true;
  bool was_switched_ = false;
  switched_protocol* switched_ = nullptr;
};

}  // namespace weft::inline v1::http::detail
