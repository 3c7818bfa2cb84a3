#pragma once

#include <atomic>
#include <cstdint>

#include <weft/core/clock.hpp>

// Linux's wait on a word of memory, for a thread of this process.

namespace weft::inline v1::detail {

/// Sleeps while `word` holds `value`, until futex_wake_one or a signal, or for no reason; ask again. False:
/// `until` has passed.
bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value, steady_time until) noexcept;
/// The memory may be gone already: then nothing happens, or somebody asks again.
void futex_wake_one(std::atomic<std::uint32_t>& word) noexcept;

}  // namespace weft::inline v1::detail
