#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/net/stream.hpp>
#include <weft/net/tls/stream.hpp>

namespace weft::inline v1::http::detail {

/// What HTTP goes over: a connection, or TLS above one. Members as those of both have it; plain ones pay a
/// comparison.
class transport {
 public:
  transport() noexcept = default;
  transport(net::stream plain) noexcept : plain_(std::move(plain)) {}
  transport(net::tls::stream secure) noexcept : secure_(std::move(secure)) {}
  /// The other one is without a connection then, and without TLS.
  transport(transport&& other) noexcept
      : plain_(std::move(other.plain_)), secure_(std::exchange(other.secure_, std::nullopt)) {}
  transport& operator=(transport&& other) noexcept {
    plain_ = std::move(other.plain_);
    secure_ = std::exchange(other.secure_, std::nullopt);
    return *this;
  }
  ~transport() = default;

  std::optional<std::size_t> read_some_until(std::span<char> into, steady_time until) {
    if (secure_) [[unlikely]]
      return secure_->read_some_until(into, until);
    return plain_.read_some_until(into, until);
  }
  net::transfer write_all_until(std::span<const std::string_view> pieces, steady_time until) {
    if (secure_) [[unlikely]]
      return secure_->write_all_until(pieces, until);
    return plain_.write_all_until(pieces, until);
  }
  std::optional<std::size_t> write_some_until(std::string_view bytes, steady_time until) {
    return secure_ ? secure_->write_some_until(bytes, until) : plain_.write_some_until(bytes, until);
  }
  void shutdown_write() { secure_ ? secure_->shutdown_write() : plain_.shutdown_write(); }
  void shutdown_read() noexcept { secure_ ? secure_->shutdown_read() : plain_.shutdown_read(); }
  void close() noexcept { secure_ ? secure_->close() : plain_.close(); }
  /// Closes, and what was sent so far is not the whole: TLS does not say that nothing more comes.
  void cut() noexcept { socket().close(); }
  bool is_open() const noexcept { return socket().is_open(); }
  bool is_alive() noexcept { return secure_ ? secure_->is_alive() : plain_.is_alive(); }
  bool is_quiet() noexcept { return secure_ ? secure_->is_quiet() : plain_.is_quiet(); }

  /// The connection at the bottom, for addresses and options.
  net::stream& socket() noexcept { return secure_ ? secure_->below() : plain_; }
  const net::stream& socket() const noexcept { return secure_ ? secure_->below() : plain_; }
  /// Null without TLS.
  net::tls::stream* tls() noexcept { return secure_ ? &*secure_ : nullptr; }
  const net::tls::stream* tls() const noexcept { return secure_ ? &*secure_ : nullptr; }

 private:
  net::stream plain_;
  std::optional<net::tls::stream> secure_;
};

}  // namespace weft::inline v1::http::detail
