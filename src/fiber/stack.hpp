#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::detail {

/// The exception state of the C++ runtime, as `__cxa_get_globals` gives it: the Itanium C++ ABI
/// names the two words, not their type.
struct exception_state {
  void* caught = nullptr;
  unsigned int uncaught = 0;
  bool in_use() const noexcept { return caught != nullptr || uncaught != 0; }
};

class stack_pool;

/// What a stack keeps while it does not run; lies at its own top, the thread's own in the scheduler.
struct stack_record {
  void* sp = nullptr;
  stack_record* next_free = nullptr;
  stack_pool* pool = nullptr;    ///< where it came from; null: a thread's own stack
  const char* bottom = nullptr;  ///< lowest usable byte; the guard lies below
  std::size_t bytes = 0;         ///< from bottom to the first frame
  exception_state exceptions;
  void* asan_fake_stack = nullptr;
  void* tsan_fiber = nullptr;
};

/// Runs on a fresh stack; never returns.
using stack_main = void (*)(void* argument);

/// Makes the stack's next switch begin with `main(argument)`.
void prepare_stack(stack_record& stack, stack_main main, void* argument) noexcept;

/// Leaves the running stack `from` for `to`; comes back when somebody switches to `from`. Exchanges
/// the exception state `live` of the thread. `for_good`: nothing will come back to `from`.
void switch_stack(stack_record& from, stack_record& to, exception_state& live, bool for_good) noexcept;

/// For a thread's own stack: tells the sanitizers about it.
void adopt_thread_stack(stack_record& stack) noexcept;

/// The exception state of the running thread.
exception_state& thread_exception_state() noexcept;

/// What lies above `sp`, the stack pointer of a stopped frame.
inline std::size_t bytes_above(const stack_record& stack, const void* sp) noexcept {
  return static_cast<std::size_t>(reinterpret_cast<const char*>(&stack) - static_cast<const char*>(sp));
}

/// The bytes from the deepest page that was ever touched up to the top: whole pages, so at least what any
/// fiber used of it since it was last given back to the system. One system call.
std::size_t touched_bytes(const stack_record& stack) noexcept;

/// Stacks of one size: lazily committed, guarded, reused last-in first-out so that they stay warm.
///
/// Address space is taken in slabs of one mapping each; guards are installed for blocks of stacks by
/// one call where the kernel has lightweight guards (Linux 6.13), else by mprotect. Not thread-safe.
class stack_pool {
 public:
  explicit stack_pool(std::size_t stack_bytes);
  stack_pool(const stack_pool&) = delete;
  stack_pool& operator=(const stack_pool&) = delete;
  ~stack_pool();

  /// Null when the system gives no more memory or guards; errno tells.
  stack_record* acquire() noexcept;
  /// The stack may still be the running one: it is not touched before the next acquire.
  void release(stack_record& stack) noexcept;

  /// Is `address` in a guard of this pool? Async-signal-safe.
  bool is_guard(const void* address) const noexcept;
  std::size_t stack_bytes() const noexcept { return stack_bytes_; }
  std::size_t made() const noexcept { return made_; }

 private:
  struct slab;
  bool add_slab() noexcept;
  bool add_guards(slab& in) noexcept;
  stack_record* carve() noexcept;

  std::size_t stack_bytes_;
  stack_record* free_ = nullptr;
  slab* slabs_ = nullptr;  // newest first
  std::size_t made_ = 0;
};

}  // namespace weft::detail
