#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/executor/executor.hpp>
#include <weft/fiber/event.hpp>

#include "http/bound_until.hpp"
#include "http/head_parser.hpp"
#include "http/request_body.hpp"

namespace weft::inline v1::http::detail::h2 {

/// Lets a client send more of a body, and asks it to begin.
class body_flow {
 public:
  /// So much was read: as much may come again.
  virtual void was_read(std::size_t bytes) noexcept = 0;
  virtual void send_continue() = 0;
  /// The loop that all of this is of.
  virtual const executor& home() const noexcept = 0;

 protected:
  ~body_flow() = default;
};

/// The body of a request as it comes on a stream. Gathered until all is here, or kept until a handler reads
/// it: then the client sends no more than the window of the stream meanwhile.
class stream_body final : public request_body {
 public:
  stream_body(body_flow& flow, const limits& within) noexcept : flow_(flow), limits_(within) {}

  struct bounds {
    std::size_t bytes_max;
    std::chrono::milliseconds time;  ///< for all of it, from the first wait on
  };
  void start(const request_head& head, bounds within, bool is_gathered);

  /// How large one that is gathered before its handler begins may become; empty for the others.
  std::optional<std::uint64_t> gathers_at_most() const noexcept;
  /// The client could send nothing so far: its time begins now.
  void begin_time_again() noexcept { until_ = bound_until(time_); }

  // What comes. Whether anybody may still want it is looked at here.
  void arrived(std::string_view piece);
  void add_trailer(std::string_view name, std::string_view value);
  void ended() noexcept;
  /// The client has gone, or gave the request up.
  void cut() noexcept;
  void refuse(const refusal& why) noexcept;

  bool is_ended() const noexcept { return part_ == part::ended; }
  bool is_cut_off() const noexcept override { return part_ == part::cut_off; }
  /// Why it cannot be read on; null where it can.
  const refusal* why_refused() const noexcept { return part_ == part::refused ? &refusal_ : nullptr; }
  /// When a gathered body has to be here.
  steady_time until() const noexcept { return until_.value_or(no_deadline); }

  // For handlers; as body_reader. From any loop, one after the other.
  std::string_view whole() override;
  std::string_view next_piece() override;
  bool is_whole() const noexcept override { return gathers_; }
  std::optional<std::string_view> trailer(std::string_view name) const noexcept override;

  /// A final answer is on its way: no "100 Continue" any more.
  void answer_begins() noexcept { asks_continue_ = false; }

 private:
  enum class part : unsigned char { coming, ended, refused, cut_off };

  std::string_view read_whole();
  std::string_view read_piece();
  void ask_for_it();
  void wait();
  [[noreturn]] void throw_again() const;
  void end_early(part how) noexcept;

  body_flow& flow_;
  limits limits_;
  part part_ = part::ended;
  bool may_have_one_ = true;  // the method does
  bool asks_continue_ = false;
  bool gathers_ = false;  // it is wanted as a whole
  bool began_ = false;    // a piece was
  std::chrono::milliseconds time_{0};
  std::optional<steady_time> until_;
  std::size_t bytes_max_ = 0;
  std::uint64_t said_bytes_max_ = 0;  // by that and by the client
  std::size_t bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t trailer_count_ = 0;
  std::string came_;   // and was not read
  std::string piece_;  // that was given last
  std::string trailers_;
  refusal refusal_;
  event changed_;
};

}  // namespace weft::inline v1::http::detail::h2
