#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>

#include "http/chunk_decoder.hpp"
#include "http/corked_stream.hpp"
#include "http/head_parser.hpp"
#include "http/request_body.hpp"

namespace weft::inline v1::http::detail {

/// The body of a request, read when it is asked for.
///
/// What came along with the head is decoded where it lies, and the head's buffer is not touched otherwise: a
/// handler holds views into it. What comes later goes through a buffer of this object's own.
class body_reader final : public request_body {
 public:
  body_reader(corked_stream& from, const limits& within) noexcept : stream_(from), decoder_(within) {}

  struct bounds {
    std::size_t bytes_max;           ///< after decoding
    std::chrono::milliseconds time;  ///< for all of it, from the first wait on
  };
  /// `received` is what follows the head in its buffer, perhaps more than the body.
  void start(const request_head& head, char* received, std::size_t received_bytes, bounds within);

  // For handlers. They throw status_error where the body is malformed, too large or late, and
  // weft::error (closed) where the client left in the middle of it; any later call does so again.
  std::string_view whole() override;
  std::string_view next_piece() override;
  bool is_whole() const noexcept override { return gathers_; }
  std::optional<std::string_view> trailer(std::string_view name) const noexcept override;

  /// Is there nothing of it to come any more?
  bool is_ended() const noexcept { return part_ == part::ended; }
  bool is_cut_off() const noexcept override { return part_ == part::cut_off; }
  /// Why it cannot be read on; null where it can.
  const refusal* why_refused() const noexcept { return part_ == part::refused ? &refusal_ : nullptr; }
  /// False where the handler left much, or the client waits for a word to send it: better close.
  bool is_worth_skipping() const noexcept;
  /// Reads what the handler left. False where it does not come to the end.
  bool skip();

  /// A final answer is on its way: no "100 Continue" any more.
  void answer_begins() noexcept { may_answer_ = false; }

  /// How many of the received bytes were part of the body; once it is ended.
  std::size_t used_of_received() const noexcept { return used_of_received_; }
  /// What was read behind the body and not into the head's buffer; once it is ended.
  std::string_view read_beyond() const noexcept { return beyond_; }
  /// The request is over: gives its memory back.
  void release() noexcept;

 private:
  enum class part : unsigned char { counted, chunked, ended, refused, cut_off };

  std::string_view take_piece();
  std::string_view take_counted();
  std::string_view take_chunked();
  /// Reads more behind raw_, which it moves to the front of the own buffer. At most `most` bytes.
  void fill(std::size_t most);
  std::optional<std::size_t> read(std::span<char> into);
  void end(std::size_t beyond);
  [[noreturn]] void refuse(const refusal& why);
  [[noreturn]] void throw_again() const;

  corked_stream& stream_;
  chunk_decoder decoder_;
  part part_ = part::ended;
  bool asks_continue_ = false;  // the client waits for "100 Continue"
  bool may_answer_ = false;     // no final answer is on its way
  bool is_chunked_ = false;     // so decoder_ has its trailers
  bool began_ = false;          // a piece was asked for
  bool gathers_ = false;        // whole() was asked for
  unsigned fills_ = 0;
  bool is_whole_ = false;  // whole() was
  bool is_own_ = false;    // raw_ lies in own_
  std::chrono::milliseconds time_{0};
  std::optional<steady_time> until_;
  std::uint64_t left_ = 0;  // of a counted body
  std::size_t received_bytes_ = 0;
  std::size_t used_of_received_ = 0;
  char* raw_ = nullptr;  // what came and was not dealt with: in the head's buffer, or in the own one
  std::size_t raw_bytes_ = 0;
  std::unique_ptr<char[]> own_;
  std::string_view whole_;
  std::string gathered_;
  std::string_view beyond_;
  refusal refusal_;
};

}  // namespace weft::inline v1::http::detail
