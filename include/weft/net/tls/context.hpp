#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace weft::inline v1::net::tls {

class stream;
struct client_core;
struct server_core;

/// The oldest version of TLS that is spoken. Nothing older than 1.2 is, and no renegotiation.
enum class version : unsigned char { v1_2, v1_3 };

/// A certificate, with those that vouch for it, and its private key.
///
/// Each is the path of a PEM file, or PEM text itself ("-----BEGIN ..."). The chain has the certificate
/// first. A key that is encrypted is not read.
struct certificate {
  std::string chain = {};
  std::string key = {};
};

/// How a client does TLS. Ciphers and groups are OpenSSL's defaults, and the system's configuration of them.
struct client_options {
  std::string ca = {};  ///< who is trusted: a PEM file or PEM text; empty: whom the system trusts
  bool verify = true;   ///< the server's certificate, and that it is for the name; false only for tests
  tls::certificate certificate = {};        ///< shown to servers that ask for one; empty: none
  std::vector<std::string> protocols = {};  ///< ALPN, the best first; empty: nothing is offered
  version oldest = version::v1_2;
  std::size_t sessions_max = 1024;  ///< servers whose sessions are kept for resumption; 0: none
};

/// What the connections of a client share: whom it trusts, its certificate, and sessions to resume.
///
/// Making one reads files, for the system's trust about 10 ms of work: keep it. Copies are the same context.
/// Thread-safety: all members, from any thread.
class client_context {
 public:
  /// Throws weft::error: not_found or io_error for a file, malformed for what is in it, invalid_argument.
  explicit client_context(client_options options = {});
  /// One with default options, made when it is first asked for.
  static const client_context& common();

  /// The same, for servers that the certificate is not meant for: it is not shown, and no session is resumed
  /// in which it was. Reads nothing.
  client_context without_certificate() const;

 private:
  friend class stream;
  std::shared_ptr<client_core> core_;
  bool shows_certificate_ = true;
};

/// Does a server want certificates of its clients?
enum class client_certificates : unsigned char {
  none,      ///< it does not ask
  optional,  ///< it asks; one that is sent must be in order
  required,  ///< no connection without one
};

/// How a server does TLS.
struct server_options {
  /// At least one. Each is used for the names it is made out for; the first one also where no other fits.
  std::vector<tls::certificate> certificates = {};
  bool refuse_unknown_names = false;  ///< a client that asks for a name no certificate has is refused
  tls::client_certificates client_certificates = tls::client_certificates::none;
  std::string client_ca = {};  ///< who signs those: a PEM file or PEM text; needed where they are asked for
  std::vector<std::string> protocols =
      {};  ///< ALPN, the best first; a client that offers only others is refused
  version oldest = version::v1_2;
  bool tickets = true;  ///< clients may resume sessions
};

/// What the connections of a server share.
///
/// Copies are the same context, also after a reload: keep one, give another to the server.
/// Thread-safety: all members, from any thread.
class server_context {
 public:
  /// Throws as client_context.
  explicit server_context(server_options options);

  /// Reads the files again: handshakes that begin later use what is in them; connections go on. Where that
  /// fails it throws, and what was in use stays. Sessions can be resumed across it where no client
  /// certificates are asked for. Reads on this thread.
  void reload();

  /// As in the options.
  const std::vector<std::string>& protocols() const noexcept;

 private:
  friend class stream;
  std::shared_ptr<server_core> core_;
};

}  // namespace weft::inline v1::net::tls
