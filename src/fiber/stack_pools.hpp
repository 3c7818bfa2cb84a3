#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "fiber/loop_meter.hpp"
#include "fiber/stack.hpp"

namespace weft::inline v1::detail {

/// A thread's stacks: a pool for the run's own size, made at once, and one for each power of two that
/// a fiber asked for. Not thread-safe, but for is_guard in a signal handler of the same thread.
class stack_pools {
 public:
  /// `idle_max`: of each pool.
  stack_pools(std::size_t default_bytes, std::size_t idle_max);

  /// The pool for stacks of at least `stack_bytes`; 0: the run's own size. Throws std::bad_alloc.
  stack_pool& pool_for(std::size_t stack_bytes);
  /// Does a fiber that asks for `stack_bytes` fit on `stack`, one of ours?
  bool fits(const stack_record& stack, std::size_t stack_bytes) const noexcept;

  bool is_guard(const void* address) const noexcept;
  /// Adds the figures of all pools.
  void add_to(loop_figures& figures) const noexcept;

  /// See stack_pool.
  void tidy(steady_time now) noexcept {
    for_each([now](stack_pool& pool) { pool.tidy(now); });
  }
  bool have_excess() noexcept {
    bool any = false;
    for_each([&any](const stack_pool& pool) { any = any || pool.has_excess(); });
    return any;
  }

  static constexpr std::size_t bytes_max = std::size_t{1} << 30;

 private:
  template <typename Do>
  void for_each(Do&& act) {
    act(default_);
    for (stack_pool* const pool : used_) act(*pool);
  }

  static constexpr std::size_t classes = 31;
  const std::size_t idle_max_;
  stack_pool default_;
  std::array<std::unique_ptr<stack_pool>, classes> by_class_;  // [n]: 2^n bytes
  std::vector<stack_pool*> used_;                              // those of by_class_
};

}  // namespace weft::inline v1::detail
