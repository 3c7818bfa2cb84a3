#include "net/tls/stream_impl.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/core/flag_mark.hpp>

#include "net/socket_io.hpp"

namespace weft::inline v1::net::tls {
namespace {

using detail::direction_guard;
using detail::when_writable;

constexpr const char* reads = "tls: read";
constexpr const char* writes = "tls: write";
constexpr const char* handshakes = "tls: handshake";
constexpr std::size_t record_bytes = 16 * 1024;
constexpr std::size_t sealed_at_once = 4 * record_bytes;
constexpr std::size_t kept_bytes_max = 4 * 1024;
constexpr std::chrono::seconds close_time{5};

bool is_address(const std::string& name) noexcept {
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

}  // namespace

stream::impl::impl(net::stream over, SSL_CTX* context, std::shared_ptr<const void> holds)
    : socket_(std::move(over)), holds_(std::move(holds)), ssl_(SSL_new(context)) {
  BIO* const bio = ssl_ ? BIO_new(method()) : nullptr;
  if (bio == nullptr)
    throw error(errc::resource_exhausted, "tls: a new connection: " + take_openssl_reason());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), &notes_);
}

stream::impl::~impl() { close(); }

void stream::impl::prepare_client(client_core& core, std::string_view server_name, bool shows_certificate) {
  is_server_ = false;
  std::string name(server_name);
  if (name.ends_with('.')) name.pop_back();
  if (name.empty() && core.verify)
    throw error(errc::invalid_argument, "tls: the server's certificate must be for a name; none is given");
  SSL* const ssl = ssl_.get();
  bool fits = true;
  if (is_address(name)) {
    fits = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  } else if (!name.empty()) {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    fits = SSL_set1_host(ssl, name.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
  }
  if (!fits) throw error(errc::invalid_argument, "tls: \"" + name + "\" is no name of a server");
  const int port = socket_.peer_address().port();
  session_.server_name = name;
  notes_.server = name + ':' + std::to_string(port);
  if (!shows_certificate) {
    SSL_certs_clear(ssl);
    notes_.server += " without a certificate";  // sessions of their own: one that is resumed says who asks
  }
  notes_.sessions = &core.sessions;
  if (const ssl_session_ptr former = core.sessions.take(notes_.server)) SSL_set_session(ssl, former.get());
  SSL_set_connect_state(ssl);
}

// ---- below: the socket

const BIO_METHOD* stream::impl::method() {
  static const BIO_METHOD* const made = [] {
    BIO_METHOD* const one = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weft");
    if (one == nullptr) throw std::bad_alloc();
    BIO_meth_set_read(one, bio_read);
    BIO_meth_set_write(one, bio_write);
    BIO_meth_set_ctrl(one, bio_control);
    return one;
  }();
  return made;
}

int stream::impl::bio_read(BIO* bio, char* into, int bytes) noexcept {
  return static_cast<impl*>(BIO_get_data(bio))->receive(bio, into, bytes);
}

int stream::impl::receive(BIO* bio, char* into, int bytes) noexcept {
  BIO_clear_retry_flags(bio);
  ssize_t count = -1;
  errno = EAGAIN;
  if (!drained_ && !shut_) {
    do count = ::recv(socket_.fd_.get(), into, static_cast<std::size_t>(bytes), MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
  }
  if (count < 0 && detail::would_block(errno)) {
    drained_ = true;
    BIO_set_retry_read(bio);
  } else if (count < 0) {
    socket_errno_ = errno;
  } else {
    ended_ = count == 0;
    drained_ = count > 0 && count < bytes;  // as net::stream::note_read
  }
  return static_cast<int>(count);
}

int stream::impl::bio_write(BIO* bio, const char* from, int bytes) noexcept {
  BIO_clear_retry_flags(bio);
  try {
    static_cast<impl*>(BIO_get_data(bio))->outgoing_.append(from, static_cast<std::size_t>(bytes));
    return bytes;
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

long stream::impl::bio_control(BIO*, int command, long, void*) noexcept {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

bool stream::impl::await_bytes(steady_time until) {
  if (awaiting_) {
    came_.reset();
    return came_.wait_until(until);
  }
  const weft::detail::flag_mark awaiting(awaiting_);
  struct teller {
    event& came;
    ~teller() { came.set(); }
  } const tells{came_};
  socket_.io_.mark_not_readable();
  if (!socket_.io_.wait_readable_until(until)) return false;
  drained_ = false;
  return true;
}

bool stream::impl::flush(steady_time until) {
  const weft::detail::flag_mark flushing(flushing_);
  while (sent_ < outgoing_.size()) {
    const auto count = when_writable(socket_.io_, until, writes, [this] {
      return ::send(socket_.fd_.get(), outgoing_.data() + sent_, outgoing_.size() - sent_, MSG_NOSIGNAL);
    });
    if (!count) return false;
    sent_ += *count;
  }
  sent_ = 0;
  outgoing_.clear();
  if (outgoing_.capacity() > kept_bytes_max) outgoing_ = std::string();
  return true;
}

void stream::impl::send_now() noexcept {
  if (flushing_ || sent_ == outgoing_.size()) return;
  const ssize_t count = ::send(socket_.fd_.get(), outgoing_.data() + sent_, outgoing_.size() - sent_,
                               MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count > 0) sent_ += static_cast<std::size_t>(count);
}

// ---- errors

void stream::impl::require_sound(const char* tried) const {
  if (broken_) throw error(errc::closed, std::string(tried) + ": the connection has failed before");
}

/// After OpenSSL gave up.
void stream::impl::throw_failed(const char* tried) {
  broken_ = true;
  if (socket_errno_ != 0) {
    ERR_clear_error();
    if (!socket_.is_open()) throw error(errc::closed, std::string(tried) + ": it is closed");
    detail::throw_io(tried, socket_errno_);
  }
  if (ended_) {
    ERR_clear_error();
    throw error(
        errc::unavailable,
        std::string(tried) + ": the peer closed the connection without ending TLS; it may be cut short");
  }
  const int reason = ERR_GET_REASON(ERR_peek_error());
  if (reason > SSL_AD_REASON_OFFSET)
    throw error(errc::refused, std::string(tried) + ": the peer refuses: " + take_openssl_reason());
  throw error(errc::malformed, std::string(tried) + ": " + take_openssl_reason());
}

void stream::impl::throw_handshake_failed() {
  const int reason = ERR_GET_REASON(ERR_peek_error());
  const long verified = SSL_get_verify_result(ssl_.get());
  const std::string whose = is_server_ ? "the client's" : "the server's";
  const auto refuse = [this](const std::string& why) {
    broken_ = true;
    ERR_clear_error();
    throw error(errc::refused, std::string(handshakes) + ": " + why);
  };
  if (ended_) {
    broken_ = true;
    ERR_clear_error();
    throw error(errc::unavailable,
                std::string(handshakes) + ": the peer closed the connection in the middle of it");
  }
  switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      refuse(whose + " certificate is not accepted: " + X509_verify_cert_error_string(verified));
      break;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      refuse("the client has no certificate, and one is required");
      break;
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNKNOWN_PROTOCOL:
      broken_ = true;
      ERR_clear_error();
      throw error(errc::malformed, std::string(handshakes) + ": the peer does not speak TLS");
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_SHARED_CIPHER:
      refuse("both sides have no version or cipher in common");
      break;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      refuse("both sides have no protocol in common (ALPN)");
      break;
    default:
      break;
  }
  if (!notes_.unknown_name.empty())
    refuse("the client asks for \"" + notes_.unknown_name + "\", and no certificate is for that name");
  throw_failed(handshakes);
}

// ---- above: the application

void stream::impl::handshake(steady_time until) {
  const direction_guard reading(socket_.reader_, socket_.fd_, handshakes);
  const direction_guard writing(socket_.writer_, socket_.fd_, handshakes);
  const auto throw_late = [] {
    throw error(errc::timed_out, std::string(handshakes) + ": the peer does not answer in time");
  };
  while (true) {
    ERR_clear_error();
    const int got = SSL_do_handshake(ssl_.get());
    const int why = SSL_get_error(ssl_.get(), got);
    if (why != SSL_ERROR_NONE && why != SSL_ERROR_WANT_READ) {
      send_now();  // an alert, which says why
      throw_handshake_failed();
    }
    const bool is_done = why == SSL_ERROR_NONE;
    // A server's tickets go with its first answer, or when it waits.
    if (is_done && is_server_ && SSL_version(ssl_.get()) >= TLS1_3_VERSION) break;
    if (!flush(until)) throw_late();
    if (is_done) break;
    if (!await_bytes(until)) throw_late();
  }
  note_session();
}

std::optional<std::size_t> stream::impl::read_some(std::span<char> into, steady_time until) {
  const direction_guard reading(socket_.reader_, socket_.fd_, reads);
  require_sound(reads);
  checkpoint();
  while (true) {
    ERR_clear_error();
    std::size_t count = 0;
    const int got = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
    const int why = SSL_get_error(ssl_.get(), got);
    if (why != SSL_ERROR_NONE || outgoing_.size() - sent_ > kept_bytes_max) send_now();
    switch (why) {
      case SSL_ERROR_NONE:
        return count;
      case SSL_ERROR_ZERO_RETURN:
        return 0;
      case SSL_ERROR_WANT_READ:
        if (shut_) return 0;
        if (!await_bytes(until)) return std::nullopt;
        break;
      default:
        throw_failed(reads);
    }
  }
}

bool stream::impl::seal(std::string_view bytes, steady_time until) {
  while (true) {
    ERR_clear_error();
    std::size_t count = 0;
    const int got = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    if (got == 1) return true;
    if (SSL_get_error(ssl_.get(), got) != SSL_ERROR_WANT_READ) throw_failed(writes);
    if (!await_bytes(until)) return false;
  }
}

transfer stream::impl::write_all(std::span<const std::string_view> pieces, steady_time until) {
  const direction_guard writing(socket_.writer_, socket_.fd_, writes);
  require_sound(writes);
  std::size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  std::string joined;
  std::string_view whole;
  if (pieces.size() > 1 && bytes <= record_bytes) {  // one record instead of several
    joined.reserve(bytes);
    for (const std::string_view piece : pieces) joined += piece;
    whole = joined;
    pieces = {&whole, 1};
  }
  std::size_t done = 0;
  try {
    if (!flush(until)) return {done, transfer_end::timed_out};
    for (std::string_view piece : pieces) {
      while (!piece.empty()) {
        const std::string_view next = piece.substr(0, sealed_at_once);
        if (!seal(next, until)) return {done, transfer_end::timed_out};
        done += next.size();
        piece.remove_prefix(next.size());
        if (!flush(until)) return {done, transfer_end::timed_out};
      }
    }
  } catch (const error& failed) {
    if (done == 0) throw;
    throw transfer_error(failed, done);
  }
  return {done, transfer_end::complete};
}

std::optional<std::size_t> stream::impl::write_some(std::string_view bytes, steady_time until) {
  const direction_guard writing(socket_.writer_, socket_.fd_, writes);
  require_sound(writes);
  if (!flush(until)) return std::nullopt;
  const std::string_view next = bytes.substr(0, record_bytes);
  if (next.empty()) return 0;
  if (!seal(next, until)) return std::nullopt;
  send_now();
  return next.size();
}

void stream::impl::say_close() noexcept {
  if (broken_ || !socket_.is_open() || SSL_is_init_finished(ssl_.get()) != 1) return;
  if ((SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0) return;  // a second call would read
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  send_now();
}

void stream::impl::shutdown_write() {
  if (!socket_.is_open()) return;
  say_close();
  try {
    const direction_guard writing(socket_.writer_, socket_.fd_, writes);
    flush(steady_clock::now() + close_time);
  } catch (const error&) {  // the peer is gone, or another task writes: it sends the rest
    return;
  }
  socket_.shutdown_write();
}

/// OpenSSL hears of no end: it would take it for one that was not announced.
void stream::impl::shutdown_read() noexcept {
  shut_ = true;
  socket_.shutdown_read();
}

void stream::impl::close() noexcept {
  say_close();
  socket_.close();
}

stream::impl::found stream::impl::look() noexcept {
  if (broken_ || !socket_.is_open()) return found::end;
  if (socket_.reader_ != nullptr) return found::unknown;
  drained_ = false;
  ERR_clear_error();
  char next = 0;
  std::size_t count = 0;
  const int got = SSL_peek_ex(ssl_.get(), &next, 1, &count);
  const int why = SSL_get_error(ssl_.get(), got);
  if (why != SSL_ERROR_NONE && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_ZERO_RETURN) broken_ = true;
  ERR_clear_error();
  send_now();
  if (why == SSL_ERROR_NONE) return found::bytes;
  return why == SSL_ERROR_WANT_READ ? found::nothing : found::end;
}

void stream::impl::renew_keys(steady_time until) {
  const direction_guard writing(socket_.writer_, socket_.fd_, writes);
  require_sound(writes);
  ERR_clear_error();
  if (SSL_version(ssl_.get()) < TLS1_3_VERSION || SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) != 1 ||
      SSL_do_handshake(ssl_.get()) != 1) {
    ERR_clear_error();
    throw error(errc::unsupported, "tls: new keys: the connection is not of TLS 1.3");
  }
  if (!flush(until)) throw error(errc::timed_out, "tls: new keys: the peer does not read");
}

}  // namespace weft::inline v1::net::tls
