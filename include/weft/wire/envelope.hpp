#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <weft/core/error.hpp>
#include <weft/wire/canonical.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::wire {

/// Envelopes are at most this long unless the caller says otherwise.
inline constexpr std::size_t envelope_bytes_max = 1024 * 1024;

/// What begins with a byte over this is no envelope, and no encrypted value, of any version.
inline constexpr unsigned envelope_version_max = 31;

/// The envelope names a key that the ring does not have: retired, or of another installation. Told
/// apart from a bad signature, since adding the key mends it.
class unknown_key : public error {
 public:
  explicit unknown_key(std::string id);
  const std::string& id() const noexcept { return id_; }

 private:
  std::string id_;
};

/// The key that the bytes name was retired: what was made with it is not trusted any more.
class key_is_retired : public error {
 public:
  explicit key_is_retired(std::string id);
  const std::string& id() const noexcept { return id_; }

 private:
  std::string id_;
};

/// Signs `body` with the ring's first key for `purpose` (HMAC-SHA-256, docs/formats/envelope.md) and
/// returns the envelope, which holds the body in clear. What matters must be in the body or in the
/// purpose. Throws weft::error (invalid_argument) for an empty purpose.
bytes sign(const key_ring& keys, std::string_view purpose, std::span<const std::byte> body);
inline bytes sign(const key_ring& keys, std::string_view purpose, const canonical_writer& fields) {
  return sign(keys, purpose, std::span<const std::byte>(fields.data()));
}

/// The body, once the signature was found right for `purpose`; nothing of it is looked at before.
/// Throws weft::error: too_large, malformed (no envelope), unsupported (of a newer version), unknown_key (an
/// own type, code not_found), key_is_retired (refused), bad_signature. Compares in constant time.
bytes verify(const key_ring& keys, std::string_view purpose, std::span<const std::byte> envelope,
             std::size_t bytes_max = envelope_bytes_max);

/// The id of the key that an envelope says it was signed with, unchecked: for people and for
/// re-signing. Throws weft::error (malformed, unsupported).
std::string key_id_of(std::span<const std::byte> envelope);

/// The body of an envelope, unchecked: to count what is in it, never to act on it. Lives as long as the
/// envelope. Throws weft::error (malformed, unsupported).
std::span<const std::byte> unverified_body_of(std::span<const std::byte> envelope);

}  // namespace weft::inline v1::wire
