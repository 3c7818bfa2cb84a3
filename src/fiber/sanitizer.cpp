#include "fiber/sanitizer.hpp"

#if defined(WEFT_ASAN)
#include <pthread.h>
#endif

// Compiled in where the header is; a few instructions that do nothing, unless Valgrind runs the program.
#if defined(WEFT_HAS_VALGRIND) && !defined(WEFT_ASAN) && !defined(WEFT_TSAN)
#include <valgrind/valgrind.h>
#define WEFT_VALGRIND 1
#endif

namespace weft::inline v1::detail::sanitizer {

void adopt_thread([[maybe_unused]] stack_record& stack) noexcept {
#if defined(WEFT_ASAN)
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    void* bottom = nullptr;
    std::size_t bytes = 0;
    pthread_attr_getstack(&attributes, &bottom, &bytes);
    pthread_attr_destroy(&attributes);
    stack.bottom = static_cast<const char*>(bottom);
    stack.bytes = bytes;
  }
#endif
#if defined(WEFT_TSAN)
  stack.tsan_fiber = __tsan_get_current_fiber();
#endif
}

bool on_valgrind() noexcept {
#if defined(WEFT_VALGRIND)
  return RUNNING_ON_VALGRIND != 0;
#else
  return false;
#endif
}

// Valgrind would take a switch for a very large frame. The registered range ends at the record.
void introduce([[maybe_unused]] stack_record& stack) noexcept {
#if defined(WEFT_VALGRIND)
  stack.valgrind_id =
      static_cast<unsigned>(VALGRIND_STACK_REGISTER(stack.bottom, stack.bottom + stack.bytes - 1));
#endif
}

void forget([[maybe_unused]] stack_record& stack) noexcept {
#if defined(WEFT_VALGRIND)
  VALGRIND_STACK_DEREGISTER(stack.valgrind_id);
#endif
#if defined(WEFT_TSAN)
  if (stack.tsan_fiber != nullptr) __tsan_destroy_fiber(stack.tsan_fiber);
#endif
}

}  // namespace weft::inline v1::detail::sanitizer
