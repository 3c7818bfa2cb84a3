#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/net/byte_stream.hpp>
#include <weft/net/stream.hpp>
#include <weft/net/tls/context.hpp>

namespace weft::inline v1::net::tls {

/// Who the peer is, by a certificate that was verified.
struct peer_certificate {
  std::string subject;             ///< as RFC 2253 writes it: "CN=worker 7,O=Example"
  std::vector<std::string> names;  ///< its DNS names, mail addresses and URIs
  std::string fingerprint;         ///< SHA-256 of the certificate, 64 hexadecimal digits
};

/// What a handshake agreed on.
struct session {
  std::string version;      ///< "TLSv1.3"
  std::string cipher;       ///< OpenSSL's name of it
  std::string protocol;     ///< by ALPN; empty: none
  std::string server_name;  ///< that the client asked for; empty: none
  bool is_resumed = false;
  std::optional<peer_certificate> peer;  ///< nothing where it has none, or it was not verified
};

/// TLS over a connection: bytes in, bytes out. Owns the connection below.
///
/// As net::stream: one task may read while another writes, waits are cancellation points, close() may come
/// from a third task and wakes both. Keys may be renewed by either side at any time.
///
/// The end of the stream is the peer's word that it is the end (close_notify). A connection that ends without
/// it is an error (unavailable), because anybody on the way could have cut it. A write that timed out or was
/// cancelled counts what this object took over: that goes out first with the next write, in order.
///
/// Errors: weft::error, or transfer_error after the first byte: refused where one side does not accept the
/// other (the text says what about it), malformed for what is no TLS, unavailable where the peer is gone,
/// timed_out in a handshake, closed after close(), busy as net::stream.
/// Thread-safety: none; used from the thread of the run that the connection below was made in.
/// Cost: about 40 KiB of memory, 10 KiB while nothing comes or goes. A handshake takes less than 24 KiB of a
/// fiber's stack, also with the address sanitizer (tests/net/tls_test.cpp measures it).
class stream final : public byte_stream {
 public:
  /// The client's handshake, until `until`. `server_name` is what the certificate must be for, a DNS name or
  /// an address, and is sent (SNI) where it is a name. A session with the same name and port is resumed where
  /// there is one.
  static stream connect(net::stream over, const client_context& with, std::string_view server_name,
                        steady_time until = no_deadline);
  /// The server's handshake, until `until`.
  /// `or_protocols`: what is offered by ALPN where the context names none; a client that wants only others is
  /// let in without one.
  static stream accept(net::stream over, const server_context& with, steady_time until = no_deadline,
                       std::span<const std::string> or_protocols = {});

  stream(stream&&) noexcept;
  stream& operator=(stream&&) noexcept;
  /// Closes.
  ~stream() override;

  std::optional<std::size_t> read_some_until(std::span<char> into, steady_time until) override;
  transfer write_all_until(std::span<const std::string_view> pieces, steady_time until) override;
  /// Takes over what fits into one record, at least a byte, and sends it where the socket takes it by
  /// `until`; nothing where earlier bytes are still to be sent then.
  std::optional<std::size_t> write_some_until(std::string_view bytes, steady_time until);
  /// Says that nothing more comes (close_notify), and waits until the socket has taken it, at most 5 s.
  /// Reading goes on. Throws only weft::cancelled.
  void shutdown_write() override;
  /// Ends this side's reading: a task that waits for bytes sees the end, and this side may go on writing.
  void shutdown_read() noexcept;
  /// Says that nothing more comes, as far as that needs no wait, and closes the connection; tasks that wait
  /// get weft::error (closed). Calling it again has no effect.
  void close() noexcept;
  bool is_open() const noexcept;
  /// Has the peer neither ended nor broken the connection, as far as is known here? Deals with what is no
  /// data. While a task reads, that one learns of the end.
  bool is_alive() noexcept;
  /// Is the peer still there, with nothing sent to us? Deals with what is no data. False while a task reads.
  bool is_quiet() noexcept;

  /// New keys for both directions. Throws weft::error (unsupported) before TLS 1.3.
  void renew_keys_until(steady_time until);

  const tls::session& session() const noexcept;
  /// The connection below, for addresses and options. Not to be read or written.
  net::stream& below() noexcept;
  const net::stream& below() const noexcept;

 private:
  class impl;
  friend struct server_core;
  friend struct client_core;
  explicit stream(std::unique_ptr<impl> made) noexcept;
  std::unique_ptr<impl> impl_;
};

}  // namespace weft::inline v1::net::tls
