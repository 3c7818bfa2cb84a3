#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/net/files.hpp>

#include "http/transport.hpp"

namespace weft::inline v1::http::detail {

/// A server's side of a connection. Answers to pipelined requests gather and go out together before the
/// next read, which may wait, or with the next answer that is sent at once.
class corked_stream {
 public:
  corked_stream(transport peer, std::chrono::milliseconds write_timeout) noexcept
      : peer_(std::move(peer)), write_timeout_(write_timeout) {}

  transport& peer() noexcept { return peer_; }
  const transport& peer() const noexcept { return peer_; }

  void cork(std::string_view bytes) { corked_.append(bytes); }
  std::size_t corked_bytes() const noexcept { return corked_.size(); }

  /// Has the peer gone, or stopped to read, in the middle of what was sent to it? What becomes of the answer
  /// then is no failure of this side.
  bool has_lost_peer() const noexcept { return lost_peer_; }

  /// Sends what is corked and these. Throws weft::error: timed_out where the peer does not read, closed where
  /// an earlier one was cut off in the middle, by whatever.
  void send(std::string_view first, std::string_view second = {}, std::string_view third = {});
  /// Sends what is corked, `first`, and a part of a file. False where the file is shorter. Throws as send()
  /// and files::file::read_at.
  bool send_file(std::string_view first, files::file& from, std::uint64_t offset, std::uint64_t bytes);
  void flush() {
    if (!corked_.empty()) send({});
  }
  /// As net::stream::read_some_until, after a flush.
  std::optional<std::size_t> read_some_until(std::span<char> into, steady_time until) {
    flush();
    return peer_.read_some_until(into, until);
  }

 private:
  /// The outcome of a transfer to the peer, whose failures are told from those of this side.
  template <typename Send>
  net::transfer to_peer(Send&& send);
  std::uint64_t send_window(files::file& from, std::uint64_t offset, std::uint64_t bytes);

  transport peer_;
  std::chrono::milliseconds write_timeout_;
  std::string corked_;
  bool cut_ = false;
  bool lost_peer_ = false;
};

}  // namespace weft::inline v1::http::detail
