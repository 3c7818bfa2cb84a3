#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <weft/codec/bytes.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/wire/secret_bytes.hpp>

namespace weft::inline v1::wire {

/// Encrypts `clear` with the ring's first key for `purpose` (AES-256-GCM, docs/formats/envelope.md).
/// `bound_to` is not in the result; decrypt needs the same bytes again, so what was encrypted for one place
/// is of no use in another. Throws weft::error (invalid_argument) for an empty purpose, too_large.
bytes encrypt(const key_ring& keys, std::string_view purpose, std::span<const std::byte> clear,
              std::span<const std::byte> bound_to);

/// What was encrypted. Throws weft::error: malformed, unsupported (of a newer version), unknown_key (code
/// not_found), key_is_retired (refused), bad_signature (changed, for another purpose, or bound to something
/// else); nothing is given back of such bytes.
secret_bytes decrypt(const key_ring& keys, std::string_view purpose, std::span<const std::byte> sealed,
                     std::span<const std::byte> bound_to);

/// The id of the key that the bytes say they were encrypted with, unchecked. Throws weft::error (malformed,
/// unsupported).
std::string cipher_key_id_of(std::span<const std::byte> sealed);

}  // namespace weft::inline v1::wire
