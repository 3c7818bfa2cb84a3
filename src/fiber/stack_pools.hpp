#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "fiber/stack.hpp"

namespace weft::detail {

/// A thread's stacks: a pool for the run's own size, made at once, and one for each power of two that
/// a fiber asked for. Not thread-safe, but for is_guard in a signal handler of the same thread.
class stack_pools {
 public:
  explicit stack_pools(std::size_t default_bytes);

  /// The pool for stacks of at least `stack_bytes`; 0: the run's own size. Throws std::bad_alloc.
  stack_pool& pool_for(std::size_t stack_bytes);
  /// Does a fiber that asks for `stack_bytes` fit on `stack`, one of ours?
  bool fits(const stack_record& stack, std::size_t stack_bytes) const noexcept;

  bool is_guard(const void* address) const noexcept;
  std::size_t made() const noexcept;

  static constexpr std::size_t bytes_max = std::size_t{1} << 30;

 private:
  static constexpr std::size_t classes = 31;
  stack_pool default_;
  std::array<std::unique_ptr<stack_pool>, classes> by_class_;  // [n]: 2^n bytes
};

}  // namespace weft::detail
