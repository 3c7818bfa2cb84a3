#pragma once

#include <map>
#include <mutex>
#include <vector>

#include <weft/wire/key_ring.hpp>

#include "wire/digest.hpp"

namespace weft::inline v1::wire {

struct key_ring::state {
  std::vector<key> keys;             // constant after construction; the signer first
  std::vector<retired_key> retired;  // the same

  /// HMAC with the envelope key that `one` has for `purpose`. Derived once and then kept.
  sha256_digest sign(const key& one, std::string_view purpose, std::span<const std::byte> data);
  /// The encryption key that `one` has for `purpose`, 32 bytes; not kept.
  static secret_bytes encryption_key(const key& one, std::string_view purpose);

  /// Null for an unknown id.
  const key* find(std::string_view id) const noexcept;
  /// The same, for an id from outside: throws unknown_key or key_is_retired.
  const key& find_named(std::string_view id) const;

 private:
  static constexpr std::size_t kept_max = 256;

  std::mutex mutex_;                                          // held for a look-up and an HMAC
  std::map<std::string, secret_bytes, std::less<>> derived_;  // by "<id>/<purpose>"; guarded by mutex_
};

}  // namespace weft::inline v1::wire
