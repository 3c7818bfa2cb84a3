#include "net/tls/openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace weft::inline v1::net::tls {
namespace {

constexpr std::size_t pem_bytes_max = 4 * 1024 * 1024;

/// Nobody is there to be asked for a passphrase.
int no_passphrase(char*, int, int, void*) { return -1; }

[[noreturn]] void throw_malformed(const char* what, const std::string& source, const std::string& why) {
  const bool is_text = source.starts_with("-----");
  throw error(errc::malformed, std::string("tls: ") + what + (is_text ? "" : " in " + source) + ": " + why);
}

bio_ptr reader_of(const std::string& text) {
  bio_ptr made(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!made) throw std::bad_alloc();
  return made;
}

key_ptr read_key(const std::string& source) {
  const std::string text = pem_text(source, "private key");
  const bio_ptr from = reader_of(text);
  key_ptr key(PEM_read_bio_PrivateKey(from.get(), nullptr, no_passphrase, nullptr));
  if (!key) {
    const bool is_encrypted = text.find("ENCRYPTED") != std::string::npos;
    const std::string why = take_openssl_reason();
    throw_malformed("private key", source, is_encrypted ? "it is encrypted" : why);
  }
  return key;
}

}  // namespace

std::string take_openssl_reason() {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  if (first == 0) return "unknown reason";
  if (const char* const text = ERR_reason_error_string(first)) return text;
  return "OpenSSL error " + std::to_string(first);
}

std::string pem_text(const std::string& source, const char* what) {
  if (source.starts_with("-----BEGIN")) return source;
  if (source.empty()) throw error(errc::invalid_argument, std::string("tls: no ") + what + " is given");
  std::error_code failed;
  const auto bytes = std::filesystem::file_size(source, failed);
  std::ifstream file;
  if (!failed) file.open(source, std::ios::binary);
  if (failed || !file)
    throw system_error(std::string("tls: ") + what + " in " + source, failed ? failed.value() : errno);
  if (bytes > pem_bytes_max) throw_malformed(what, source, "the file is too large to be one");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<x509_ptr> read_certificates(const std::string& source, const char* what) {
  const std::string text = pem_text(source, what);
  const bio_ptr from = reader_of(text);
  ERR_clear_error();
  std::vector<x509_ptr> all;
  while (X509* const next = PEM_read_bio_X509_AUX(from.get(), nullptr, no_passphrase, nullptr))
    all.emplace_back(next);
  const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = take_openssl_reason();
  if (!is_end) throw_malformed(what, source, why);
  if (all.empty()) throw_malformed(what, source, "there is no PEM certificate");
  return all;
}

ssl_context_ptr make_context(const SSL_METHOD* method, version oldest) {
  ssl_context_ptr made(SSL_CTX_new(method));
  if (!made) throw error(errc::resource_exhausted, "tls: make a context: " + take_openssl_reason());
  SSL_CTX_set_min_proto_version(made.get(), oldest == version::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(made.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(made.get(), 1);
  return made;
}

void use_certificate(SSL_CTX& context, const certificate& mine) {
  std::vector<x509_ptr> chain = read_certificates(mine.chain, "certificate");
  const key_ptr key = read_key(mine.key);
  if (SSL_CTX_use_certificate(&context, chain.front().get()) != 1)
    throw_malformed("certificate", mine.chain, take_openssl_reason());
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(&context, chain[i].get()) != 1)
      throw_malformed("certificate", mine.chain, take_openssl_reason());
  }
  if (SSL_CTX_use_PrivateKey(&context, key.get()) != 1)
    throw_malformed("private key", mine.key,
                    "it does not fit the certificate (" + take_openssl_reason() + ")");
}

void trust(SSL_CTX& context, const std::string& ca, const char* what) {
  X509_STORE* const store = SSL_CTX_get_cert_store(&context);
  for (const x509_ptr& one : read_certificates(ca, what)) {
    if (X509_STORE_add_cert(store, one.get()) != 1) throw_malformed(what, ca, take_openssl_reason());
  }
}

std::string protocol_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& one : protocols) {
    if (one.empty() || one.size() > 255)
      throw error(errc::invalid_argument, "tls: \"" + one + "\" is no name of a protocol (ALPN)");
    list += static_cast<char>(one.size());
    list += one;
  }
  return list;
}

}  // namespace weft::inline v1::net::tls
