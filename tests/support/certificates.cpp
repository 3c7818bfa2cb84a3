#include "support/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdint>

#include <weft/core/error.hpp>

namespace weft_test {
namespace {

using weft::net::tls::certificate;

struct free_key {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct free_certificate {
  void operator()(X509* one) const noexcept { X509_free(one); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, free_key>;
using certificate_ptr = std::unique_ptr<X509, free_certificate>;

void require(bool done) {
  if (!done) throw weft::error(weft::errc::internal, "test certificates: OpenSSL failed");
}

std::string pem_of(const auto& write) {
  BIO* const into = BIO_new(BIO_s_mem());
  require(into != nullptr && write(into) == 1);
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(into, &bytes);
  std::string text(bytes, static_cast<std::size_t>(count));
  BIO_free(into);
  return text;
}
std::string pem_of(X509* one) {
  return pem_of([&](BIO* into) { return PEM_write_bio_X509(into, one); });
}
std::string pem_of(EVP_PKEY* key) {
  return pem_of(
      [&](BIO* into) { return PEM_write_bio_PrivateKey(into, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

void add_extension(X509* to, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  X509_EXTENSION* const one = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(one != nullptr && X509_add_ext(to, one, -1) == 1);
  X509_EXTENSION_free(one);
}

certificate_ptr unsigned_certificate(EVP_PKEY* key, const std::string& name, long valid_for_seconds) {
  certificate_ptr made(X509_new());
  X509* const one = made.get();
  std::uint64_t serial = 0;
  require(one != nullptr && RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  X509_set_version(one, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(one), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(one), -7200);
  X509_gmtime_adj(X509_getm_notAfter(one), valid_for_seconds);
  require(X509_set_pubkey(one, key) == 1);
  require(X509_NAME_add_entry_by_txt(X509_get_subject_name(one), "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(name.data()),
                                     static_cast<int>(name.size()), -1, 0) == 1);
  return made;
}

bool is_address(const std::string& name) {
  return name.find_first_not_of("0123456789.") == std::string::npos || name.find(':') != std::string::npos;
}

}  // namespace

struct test_ca::keys {
  key_ptr key;
  certificate_ptr own;
};

test_ca::test_ca(const std::string& name) : keys_(std::make_unique<keys>()) {
  keys_->key.reset(EVP_EC_gen("P-256"));
  require(keys_->key != nullptr);
  keys_->own = unsigned_certificate(keys_->key.get(), name, 7200);
  X509* const own = keys_->own.get();
  require(X509_set_issuer_name(own, X509_get_subject_name(own)) == 1);
  add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE");
  require(X509_sign(own, keys_->key.get(), EVP_sha256()) > 0);
  pem_ = pem_of(own);
}

test_ca::~test_ca() = default;

certificate test_ca::make(const certificate_terms& terms) {
  const key_ptr key(EVP_EC_gen("P-256"));
  require(key != nullptr);
  const certificate_ptr made = unsigned_certificate(key.get(), terms.common_name, terms.valid_for_seconds);
  require(X509_set_issuer_name(made.get(), X509_get_subject_name(keys_->own.get())) == 1);
  std::string names;
  for (const std::string& name : terms.names) {
    if (!names.empty()) names += ',';
    names += is_address(name) ? "IP:" : "DNS:";
    names += name;
  }
  if (!names.empty()) add_extension(made.get(), keys_->own.get(), NID_subject_alt_name, names);
  require(X509_sign(made.get(), keys_->key.get(), EVP_sha256()) > 0);
  return {pem_of(made.get()), pem_of(key.get())};
}

}  // namespace weft_test
