#pragma once

#include <cstddef>
#include <span>

#include <weft/codec/bytes.hpp>

namespace weft::inline v1::wire {

/// `count` random bytes that nobody can guess. Safe after fork. Throws weft::error (unavailable)
/// where the system has no randomness.
bytes random_bytes(std::size_t count);

/// Fills `out` so.
void fill_random(std::span<std::byte> out);

}  // namespace weft::inline v1::wire
