#include "wire/digest.hpp"

#include <memory>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include <weft/core/error.hpp>

namespace weft::wire {
namespace {

// The salt of every key that weft derives; part of the formats.
constexpr char salt[] = "weft 1";

const unsigned char* raw(std::span<const std::byte> data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

OSSL_PARAM octets(const char* name, std::span<const std::byte> data) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::byte*>(data.data()), data.size());
}

}  // namespace

sha256_digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> data) {
  sha256_digest out{};
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), raw(data), data.size(),
           reinterpret_cast<unsigned char*>(out.data()), &length) == nullptr ||
      length != out.size()) {
    throw error(errc::internal, "sign: OpenSSL failed to compute HMAC-SHA-256");
  }
  return out;
}

secret_bytes hkdf_sha256(std::span<const std::byte> secret, std::span<const std::byte> info,
                         std::size_t length) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr),
                                                              EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
      kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr, EVP_KDF_CTX_free);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      octets(OSSL_KDF_PARAM_KEY, secret),
      octets(OSSL_KDF_PARAM_SALT, std::as_bytes(std::span(salt, sizeof salt - 1))),
      octets(OSSL_KDF_PARAM_INFO, info),
      OSSL_PARAM_construct_end(),
  };
  secret_bytes out(length);
  if (!context || EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(out.data().data()), length,
                                 parameters) <= 0) {
    throw error(errc::internal, "key_ring: OpenSSL failed to derive a key with HKDF-SHA-256");
  }
  return out;
}

bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace weft::wire
