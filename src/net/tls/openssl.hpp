#pragma once

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/net/tls/context.hpp>

// What the sources of TLS have in common: owners of OpenSSL's objects, and texts of its errors.

namespace weft::inline v1::net::tls {

template <auto Free>
struct freed_by {
  template <typename Object>
  void operator()(Object* one) const noexcept {
    Free(one);
  }
};

using ssl_ptr = std::unique_ptr<SSL, freed_by<SSL_free>>;
using ssl_context_ptr = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using ssl_session_ptr = std::unique_ptr<SSL_SESSION, freed_by<SSL_SESSION_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;
using x509_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

/// What OpenSSL says of the last failure of this thread; empties its queue.
std::string take_openssl_reason();

/// `text`, or the contents of the file of that name. `what` is for errors.
std::string pem_text(const std::string& text, const char* what);
/// All certificates of a PEM text, at least one.
std::vector<x509_ptr> read_certificates(const std::string& source, const char* what);

/// A context with what clients and servers have in common.
ssl_context_ptr make_context(const SSL_METHOD* method, version oldest);
void use_certificate(SSL_CTX& context, const certificate& mine);
void trust(SSL_CTX& context, const std::string& ca, const char* what);
/// As ALPN has them on the wire. Throws weft::error (invalid_argument).
std::string protocol_list(const std::vector<std::string>& protocols);

}  // namespace weft::inline v1::net::tls
