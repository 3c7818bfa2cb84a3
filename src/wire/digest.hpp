#pragma once

#include <array>
#include <cstddef>
#include <span>

#include <weft/wire/secret_bytes.hpp>

// The only place that calls OpenSSL's SHA-256 and HKDF.
namespace weft::inline v1::wire {

using sha256_digest = std::array<std::byte, 32>;

/// `key` has at most 64 bytes: a derived one.
sha256_digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> data);

/// `length` bytes, at most 8160.
secret_bytes hkdf_sha256(std::span<const std::byte> secret, std::span<const std::byte> info,
                         std::size_t length);

/// Takes as long for equal as for different bytes of equal length.
bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) noexcept;

}  // namespace weft::inline v1::wire
