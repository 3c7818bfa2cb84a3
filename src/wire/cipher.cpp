#include <weft/wire/cipher.hpp>

#include <climits>
#include <memory>

#include <openssl/evp.h>

#include <weft/core/error.hpp>
#include <weft/wire/envelope.hpp>
#include <weft/wire/random.hpp>

#include "wire/big_endian.hpp"
#include "wire/key_ring_state.hpp"

// version (1 byte, 1) | length of the id (1) | id | nonce (12) | ciphertext | tag (16). All before the
// ciphertext is authenticated with what the caller binds it to. The only place that calls OpenSSL's ciphers.

namespace weft::inline v1::wire {
namespace {

constexpr unsigned cipher_version_1 = 1;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t gcm_tag_bytes = 16;

using context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

void expect(int done) {
  if (done != 1) throw error(errc::internal, "encrypt: OpenSSL failed to compute AES-256-GCM");
}

context make_context() {
  context made(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  expect(made != nullptr ? 1 : 0);
  return made;
}

const unsigned char* raw(std::span<const std::byte> data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}
unsigned char* raw(std::span<std::byte> data) { return reinterpret_cast<unsigned char*>(data.data()); }

int length_of(std::span<const std::byte> data) {
  if (data.size() > INT_MAX) throw error(errc::too_large, "encrypt: more than 2 GiB");
  return static_cast<int>(data.size());
}

void require_purpose_to_encrypt(std::string_view purpose) {
  if (purpose.empty()) throw error(errc::invalid_argument, "encrypt: the purpose is empty");
}

struct sealed_parts {
  std::string_view key_id;
  std::span<const std::byte> head;  // all before the ciphertext
  std::span<const std::byte> nonce;
  std::span<const std::byte> ciphertext;
  std::span<const std::byte> tag;
};

sealed_parts split_sealed(std::span<const std::byte> sealed) {
  const auto malformed = [](const char* why) {
    return error(errc::malformed, std::string("decrypt: not encrypted by weft: ") + why);
  };
  if (sealed.size() < 2) throw malformed("it is cut off");
  const auto version = std::to_integer<unsigned>(sealed[0]);
  if (version == 0 || version > envelope_version_max) throw malformed("it begins with another byte");
  if (version != cipher_version_1) {
    throw error(errc::unsupported, "decrypt: encrypted in version " + std::to_string(version) +
                                       ", and this build knows 1 only; use a newer one");
  }
  const auto id_size = std::to_integer<std::size_t>(sealed[1]);
  const std::size_t head_size = 2 + id_size + nonce_bytes;
  if (id_size == 0 || sealed.size() < head_size + gcm_tag_bytes) throw malformed("it is cut off");
  return {as_text(sealed.subspan(2, id_size)), sealed.first(head_size),
          sealed.subspan(2 + id_size, nonce_bytes),
          sealed.subspan(head_size, sealed.size() - head_size - gcm_tag_bytes), sealed.last(gcm_tag_bytes)};
}

// `bound_to` comes last, so that it needs no length.
void authenticate(EVP_CIPHER_CTX* with, std::span<const std::byte> head, std::span<const std::byte> bound_to,
                  int (*update)(EVP_CIPHER_CTX*, unsigned char*, int*, const unsigned char*, int)) {
  int length = 0;
  expect(update(with, nullptr, &length, raw(head), length_of(head)));
  expect(update(with, nullptr, &length, raw(bound_to), length_of(bound_to)));
}

}  // namespace

bytes encrypt(const key_ring& keys, std::string_view purpose, std::span<const std::byte> clear,
              std::span<const std::byte> bound_to) {
  require_purpose_to_encrypt(purpose);
  const key& with = keys.state_->keys.front();
  const auto secret = key_ring::state::encryption_key(with, purpose);
  bytes out;
  out.reserve(2 + with.id().size() + nonce_bytes + clear.size() + gcm_tag_bytes);
  append_big_endian(out, cipher_version_1, 1);
  append_big_endian(out, with.id().size(), 1);
  const auto id = as_bytes(with.id());
  out.insert(out.end(), id.begin(), id.end());
  const bytes nonce = random_bytes(nonce_bytes);
  out.insert(out.end(), nonce.begin(), nonce.end());
  const std::size_t head_size = out.size();
  out.resize(head_size + clear.size() + gcm_tag_bytes);
  const std::span<std::byte> all = out;

  const auto made = make_context();
  expect(EVP_EncryptInit_ex(made.get(), EVP_aes_256_gcm(), nullptr, raw(secret.data()), raw(nonce)));
  authenticate(made.get(), all.first(head_size), bound_to, &EVP_EncryptUpdate);
  int length = 0;
  expect(EVP_EncryptUpdate(made.get(), raw(all.subspan(head_size)), &length, raw(clear), length_of(clear)));
  expect(EVP_EncryptFinal_ex(made.get(), raw(all.subspan(head_size)) + length, &length));
  expect(EVP_CIPHER_CTX_ctrl(made.get(), EVP_CTRL_GCM_GET_TAG, gcm_tag_bytes, raw(all.last(gcm_tag_bytes))));
  return out;
}

secret_bytes decrypt(const key_ring& keys, std::string_view purpose, std::span<const std::byte> sealed,
                     std::span<const std::byte> bound_to) {
  require_purpose_to_encrypt(purpose);
  const auto parts = split_sealed(sealed);
  const key& with = keys.state_->find_named(parts.key_id);
  const auto secret = key_ring::state::encryption_key(with, purpose);
  const auto made = make_context();
  expect(EVP_DecryptInit_ex(made.get(), EVP_aes_256_gcm(), nullptr, raw(secret.data()), raw(parts.nonce)));
  authenticate(made.get(), parts.head, bound_to, &EVP_DecryptUpdate);
  secret_bytes clear(parts.ciphertext.size());
  int length = 0;
  if (clear.size() > 0) {
    expect(EVP_DecryptUpdate(made.get(), raw(clear.data()), &length, raw(parts.ciphertext),
                             length_of(parts.ciphertext)));
  }
  bytes tag(parts.tag.begin(), parts.tag.end());
  expect(EVP_CIPHER_CTX_ctrl(made.get(), EVP_CTRL_GCM_SET_TAG, gcm_tag_bytes, tag.data()));
  unsigned char rest[16];
  if (EVP_DecryptFinal_ex(made.get(), rest, &length) == 1) return clear;
  throw error(errc::bad_signature, "decrypt: encrypted with key \"" + with.id() +
                                       "\", but not these bytes for \"" + std::string(purpose) +
                                       "\" in this place, or with another key of that name");
}

std::string cipher_key_id_of(std::span<const std::byte> sealed) {
  return std::string(split_sealed(sealed).key_id);
}

}  // namespace weft::inline v1::wire
