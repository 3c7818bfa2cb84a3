#include "fiber/sanitizer.hpp"

#if defined(WEFT_ASAN)
#include <pthread.h>
#endif

namespace weft::detail::sanitizer {

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

void forget([[maybe_unused]] stack_record& stack) noexcept {
#if defined(WEFT_TSAN)
  if (stack.tsan_fiber != nullptr) __tsan_destroy_fiber(stack.tsan_fiber);
#endif
}

}  // namespace weft::detail::sanitizer
