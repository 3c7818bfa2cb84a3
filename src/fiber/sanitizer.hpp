#pragma once

#include "fiber/stack.hpp"

// What the sanitizers and Valgrind must be told of stacks; nothing in other builds.

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define WEFT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEFT_TSAN 1
#endif
#endif

#if defined(WEFT_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(WEFT_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace weft::inline v1::detail::sanitizer {

#if defined(WEFT_ASAN) || defined(WEFT_TSAN)
inline constexpr bool watches_stacks = true;
#else
inline constexpr bool watches_stacks = false;
#endif

/// Does the program run under Valgrind?
bool on_valgrind() noexcept;
/// The record of a stack was made.
void introduce(stack_record& stack) noexcept;

/// Memory that was just mapped may lie where a stack was before, whose marks are still there.
inline void forget_marks([[maybe_unused]] void* from, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(WEFT_ASAN)
  __asan_unpoison_memory_region(from, bytes);
#endif
}

/// A stack is about to be used from its top again.
inline void prepare([[maybe_unused]] stack_record& stack) noexcept {
#if defined(WEFT_ASAN)
  __asan_unpoison_memory_region(stack.bottom, stack.bytes);
  stack.asan_fake_stack = nullptr;
#endif
#if defined(WEFT_TSAN)
  // Each use leaves the frames that never returned on the sanitizer's list of calls, which has an end.
  if (stack.tsan_fiber != nullptr && ++stack.tsan_uses % 4096 == 0) {
    __tsan_destroy_fiber(stack.tsan_fiber);
    stack.tsan_fiber = nullptr;
  }
  if (stack.tsan_fiber == nullptr) stack.tsan_fiber = __tsan_create_fiber(0);
#endif
}

/// The last thing on `from`. Must stay inline in a frame that is not left before the switch.
[[gnu::always_inline]] inline void leave([[maybe_unused]] stack_record& from,
                                         [[maybe_unused]] stack_record& to,
                                         [[maybe_unused]] bool for_good) noexcept {
#if defined(WEFT_ASAN)
  __sanitizer_start_switch_fiber(for_good ? nullptr : &from.asan_fake_stack, to.bottom, to.bytes);
#endif
#if defined(WEFT_TSAN)
  __tsan_switch_to_fiber(to.tsan_fiber, 0);
#endif
}

/// The first thing back on `stack`.
[[gnu::always_inline]] inline void arrived([[maybe_unused]] stack_record& stack) noexcept {
#if defined(WEFT_ASAN)
  __sanitizer_finish_switch_fiber(stack.asan_fake_stack, nullptr, nullptr);
#endif
}

/// The thread's own stack: bounds for asan, handle for tsan.
void adopt_thread(stack_record& stack) noexcept;
/// The record of a stack ends; its memory may go back to the system.
void forget(stack_record& stack) noexcept;

}  // namespace weft::inline v1::detail::sanitizer
