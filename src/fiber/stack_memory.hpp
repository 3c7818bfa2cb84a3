#pragma once

#include <sys/uio.h>
#include <cstddef>
#include <cstdint>
#include <span>

#include <weft/fiber/stack_guard.hpp>

// What stacks ask of the system: the one place, with fault points, so that tests can let a call fail.

namespace weft::inline v1::detail {

constexpr std::size_t guard_bytes = 4096;

/// Address space, without memory yet; null: not to be had, errno tells.
char* map_stacks(std::size_t bytes) noexcept;
void unmap_stacks(char* base, std::size_t bytes) noexcept;

/// Makes the first guard_bytes of `count` stacks, `stride` bytes apart from `base` on, a guard. False: not
/// to be had, errno tells; some may have one then.
bool guard_stacks(char* base, std::size_t count, std::size_t stride, stack_guard guard) noexcept;

/// Gives the memory behind whole pages back; they read as zeros. The address space stays. Where the
/// system refuses, nothing has changed.
void give_back(std::span<const iovec> ranges) noexcept;

/// The pattern of stack_guard::canary; at the upper end of the guard, where an overflow arrives first.
constexpr std::size_t canary_words = 8;
constexpr std::uint64_t canary_word = 0x77656674'5f656e64;
bool canary_is_whole(const std::uint64_t* canary) noexcept;

}  // namespace weft::inline v1::detail
