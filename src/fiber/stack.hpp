#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/fiber/stack_guard.hpp>

namespace weft::inline v1::detail {

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
  stack_record* older = nullptr;  ///< in the pool's line of free stacks
  stack_record* newer = nullptr;
  stack_pool* pool = nullptr;    ///< where it came from; null: a thread's own stack
  const char* bottom = nullptr;  ///< lowest usable byte; the guard lies below
  std::size_t bytes = 0;         ///< from bottom to the first frame
  exception_state exceptions;
  void* asan_fake_stack = nullptr;
  void* tsan_fiber = nullptr;
  unsigned tsan_uses = 0;
  unsigned valgrind_id = 0;
  const std::uint64_t* canary = nullptr;  ///< compared at each switch away, where there is one
};

/// Runs on a new stack; returns what leave_stack() gave it.
using stack_main = void* (*)(void* argument);

/// Makes the stack new: its next switch begins with `main(argument)`.
void prepare_stack(stack_record& stack, stack_main main, void* argument) noexcept;

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
/// Address space is taken in slabs of one mapping each. A stack is hot, with its record at its top and
/// the pages it touched, or cold: given back to the system, known by its address only. The hot ones
/// that were not needed for a while and exceed idle_max become cold in tidy(), many by one call; and
/// of every so manieth stack that comes back, the pages far from its top are given back. Not thread-safe.
class stack_pool {
 public:
  static constexpr std::size_t idle_max_default = 1024;

  explicit stack_pool(std::size_t stack_bytes, std::size_t idle_max = idle_max_default,
                      stack_guard guard = stack_guard_in_use());
  stack_pool(const stack_pool&) = delete;
  stack_pool& operator=(const stack_pool&) = delete;
  /// No stack of it is in use.
  ~stack_pool();

  /// Null when the system gives no more memory or guards; errno tells.
  stack_record* acquire() noexcept;
  /// The stack may still be the running one: its upper pages are not touched before the next acquire.
  void release(stack_record& stack) noexcept;

  /// For the loop, once a turn and before it sleeps: gives stacks back to the system, a bounded number.
  void tidy(steady_time now) noexcept {
    if (has_excess()) tidy_excess(now);
  }
  /// Would a tidy() some time from now do something? A loop does not sleep longer than `tidy_interval` then.
  bool has_excess() const noexcept { return hot_count_ > idle_max_; }
  static constexpr std::chrono::seconds tidy_interval{5};

  /// Is `address` in a guard of this pool? Async-signal-safe.
  bool is_guard(const void* address) const noexcept;
  std::size_t stack_bytes() const noexcept { return stack_bytes_; }
  stack_guard guard() const noexcept { return guard_; }
  std::size_t made() const noexcept { return made_; }
  /// The most bytes of a stack that had been touched, of those that were looked at when they came back.
  std::size_t touched_peak() const noexcept { return touched_peak_; }
  /// Free stacks that hold memory, and free stacks that do not.
  std::size_t hot() const noexcept { return hot_count_; }
  std::size_t cold() const noexcept { return cold_.size(); }

 private:
  struct slab;
  bool add_slab() noexcept;
  bool add_guards(slab& in) noexcept;
  stack_record* carve() noexcept;
  stack_record* make_record(char* base) noexcept;
  void tidy_excess(steady_time now) noexcept;
  void cool(std::size_t count) noexcept;
  void give_back_depth(stack_record& stack) noexcept;

  const std::size_t stack_bytes_;
  const std::size_t idle_max_;
  const stack_guard guard_;
  const std::size_t slab_stacks_;
  stack_record* newest_ = nullptr;  // hot and free
  stack_record* oldest_ = nullptr;
  std::size_t hot_count_ = 0;
  std::size_t hot_low_ = 0;  // the least hot_count_ since the last tidying
  steady_time next_tidy_ = {};
  unsigned released_ = 0;
  std::vector<char*> cold_;
  slab* slabs_ = nullptr;  // newest first
  std::size_t made_ = 0;
  std::size_t touched_peak_ = 0;
};

}  // namespace weft::inline v1::detail
