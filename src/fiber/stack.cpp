#include "fiber/stack.hpp"

#include <cxxabi.h>
#include <cstring>
#include <new>

#include "fiber/sanitizer.hpp"

extern "C" void weft_stack_entry() noexcept;

namespace weft::inline v1::detail {

void prepare_stack(stack_record& stack, stack_main main, void* argument) noexcept {
  sanitizer::prepare(stack);  // first: marks of a stack that lay here before forbid what is written now
  // The first frame begins below the record, aligned as the ABI wants it at a call.
  auto top = reinterpret_cast<std::uintptr_t>(&stack) & ~std::uintptr_t{15};
#if defined(__x86_64__)
  auto* sp = reinterpret_cast<void**>(top) - 9;  // r15 r14 r13 r12 rbx rbp, entry; aligned for the call
  std::memset(sp, 0, 9 * sizeof(void*));
  sp[2] = reinterpret_cast<void*>(main);
  sp[3] = argument;
  sp[6] = reinterpret_cast<void*>(&weft_stack_entry);
#elif defined(__aarch64__)
  auto* sp = reinterpret_cast<void**>(top) - 20;  // x19 to x30, d8 to d15
  std::memset(sp, 0, 20 * sizeof(void*));
  sp[0] = argument;
  sp[1] = reinterpret_cast<void*>(main);
  sp[11] = reinterpret_cast<void*>(&weft_stack_entry);
#else
#error "weft switches stacks on x86-64 and aarch64 only"
#endif
  stack.sp = sp;
  stack.exceptions = {};
}

void adopt_thread_stack(stack_record& stack) noexcept { sanitizer::adopt_thread(stack); }

exception_state& thread_exception_state() noexcept {
  return *reinterpret_cast<exception_state*>(abi::__cxa_get_globals());
}

}  // namespace weft::inline v1::detail
