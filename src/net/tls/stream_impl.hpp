#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/fiber/event.hpp>
#include <weft/net/stream.hpp>
#include <weft/net/tls/stream.hpp>

#include "net/tls/cores.hpp"

namespace weft::inline v1::net::tls {

/// One TLS connection: OpenSSL's object between the application and the socket.
///
/// No call of OpenSSL waits: it reads from the socket what is there and writes into outgoing_. So calls of
/// the tasks that read, write and close never meet, although the object may be used by one at a time only.
/// What lies in outgoing_ goes to the socket in order: by the task that writes, which waits, and where none
/// does, by any other as far as the socket takes it at once. A reader never waits for room to write, as two
/// sides that both do would wait for each other. What OpenSSL says by itself, such as tickets and the answer
/// to new keys, goes with the next write, or when a reader waits.
class stream::impl {
 public:
  /// `holds` keeps what the callbacks of the context use.
  impl(net::stream over, SSL_CTX* context, std::shared_ptr<const void> holds);
  ~impl();
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  void prepare_client(client_core& core, std::string_view server_name, bool shows_certificate);
  void prepare_server(std::span<const std::string> or_protocols) {
    notes_.protocols = protocol_list({or_protocols.begin(), or_protocols.end()});
    SSL_set_accept_state(ssl_.get());
  }
  void handshake(steady_time until);

  std::optional<std::size_t> read_some(std::span<char> into, steady_time until);
  transfer write_all(std::span<const std::string_view> pieces, steady_time until);
  std::optional<std::size_t> write_some(std::string_view bytes, steady_time until);
  void shutdown_write();
  void shutdown_read() noexcept;
  void close() noexcept;
  bool is_alive() noexcept { return look() != found::end; }
  bool is_quiet() noexcept { return look() == found::nothing; }
  void renew_keys(steady_time until);

  net::stream& below() noexcept { return socket_; }
  const tls::session& session() const noexcept { return session_; }

 private:
  // What OpenSSL calls.
  static const BIO_METHOD* method();
  static int bio_read(BIO* bio, char* into, int bytes) noexcept;
  static int bio_write(BIO* bio, const char* from, int bytes) noexcept;
  static long bio_control(BIO* bio, int command, long number, void* pointer) noexcept;
  int receive(BIO* bio, char* into, int bytes) noexcept;

  void require_sound(const char* tried) const;
  /// Waits until the socket may have more. False when `until` passed. True also when another task that waits
  /// for the same has ended its wait.
  bool await_bytes(steady_time until);
  /// Hands plain bytes to OpenSSL, which makes records of them. Where a message of TLS itself has come in
  /// part, OpenSSL takes none until the rest is there. False when `until` passed first: it has taken none.
  bool seal(std::string_view bytes, steady_time until);
  /// Sends all of outgoing_. False when `until` passed. For the task that writes.
  bool flush(steady_time until);
  /// Sends what the socket takes at once.
  void send_now() noexcept;
  void say_close() noexcept;
  enum class found : unsigned char { nothing, bytes, end, unknown };
  /// What comes next, as far as it is here. Unknown while a task reads.
  found look() noexcept;
  void note_session();
  [[noreturn]] void throw_failed(const char* tried);
  [[noreturn]] void throw_handshake_failed();

  net::stream socket_;
  std::shared_ptr<const void> holds_;
  connection_notes notes_;
  ssl_ptr ssl_;
  std::string outgoing_;   // sealed bytes
  std::size_t sent_ = 0;   // of outgoing_
  bool flushing_ = false;  // a task is in flush()
  bool awaiting_ = false;  // a task is in await_bytes()
  event came_;             // its end, for another one that would wait there
  bool drained_ = false;   // the socket has nothing, as far as is known
  bool ended_ = false;     // the connection below has
  bool shut_ = false;      // by shutdown_read
  bool broken_ = false;    // OpenSSL has given up
  bool is_server_ = true;
  int socket_errno_ = 0;  // of a read that failed
  tls::session session_;
};

}  // namespace weft::inline v1::net::tls
