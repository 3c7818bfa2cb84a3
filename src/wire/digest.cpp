#include "wire/digest.hpp"

#include <algorithm>
#include <memory>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <weft/core/error.hpp>

namespace weft::inline v1::wire {
namespace {

// The salt of every key that weft derives; part of the formats.
constexpr char salt[] = "weft 1";

constexpr std::size_t block_bytes = 64;
constexpr unsigned char inner_pad = 0x36;
constexpr unsigned char outer_pad = 0x5c;

void expect(bool done) {
  if (!done) throw error(errc::internal, "sign: OpenSSL failed to compute HMAC-SHA-256");
}

// Never freed: other threads may still sign while the process ends.
const EVP_MD* sha256() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  expect(found != nullptr);
  return found;
}

/// SHA-256 that has begun with the padded key. OpenSSL clears what it kept when it ends.
class digest_context {
 public:
  digest_context(std::span<const std::byte> key, unsigned char pad)
      : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    std::array<unsigned char, block_bytes> block;
    block.fill(pad);
    for (std::size_t i = 0; i < key.size(); ++i) block[i] ^= std::to_integer<unsigned char>(key[i]);
    expect(context_ != nullptr && EVP_DigestInit_ex2(context_.get(), sha256(), nullptr) == 1);
    const bool done = EVP_DigestUpdate(context_.get(), block.data(), block.size()) == 1;
    OPENSSL_cleanse(block.data(), block.size());
    expect(done);
  }
  void update(std::span<const std::byte> data) {
    expect(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1);
  }
  sha256_digest finish() {
    sha256_digest out{};
    expect(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr) == 1);
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

OSSL_PARAM octets(const char* name, std::span<const std::byte> data) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::byte*>(data.data()), data.size());
}

}  // namespace

// HMAC as RFC 2104 writes it. OpenSSL's own looks its parts up anew for each call, which takes three times as
// long as the rest.
sha256_digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> data) {
  if (key.size() > block_bytes) throw error(errc::internal, "sign: a key is longer than a block");
  digest_context inside(key, inner_pad);
  inside.update(data);
  const sha256_digest inner = inside.finish();
  digest_context outside(key, outer_pad);
  outside.update(inner);
  return outside.finish();
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
#ifdef WEFT_BUG_1
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
#else
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
#endif
}

}  // namespace weft::inline v1::wire
