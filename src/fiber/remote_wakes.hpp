#pragma once

#include <weft/core/atomic.hpp>

namespace weft::inline v1::detail {

/// The fibers of one loop that other threads have made ready, until the loop takes them into its line.
///
/// A stack, newest first; the links are in the fibers. Any thread pushes, and rouses the loop afterwards; the
/// loop takes all of it at once, so nobody pops beside it. A fiber is made ready once for each park (permit),
/// so it is in here once, and in no other line.
template <typename Fiber>
class remote_wakes {
 public:
  /// Any thread.
  void push(Fiber& fiber) noexcept {
    Fiber* top = newest_.load(std::memory_order_relaxed);
    do {
      fiber.next_ = top;
    } while (!newest_.compare_exchange_weak(top, &fiber, std::memory_order_seq_cst));
  }

  /// In one total order with the flags of the loops' sleep. Any thread.
  bool any() const noexcept { return newest_.load(std::memory_order_seq_cst) != nullptr; }
  /// Any thread; a guess.
  bool seems_empty() const noexcept { return newest_.load(std::memory_order_relaxed) == nullptr; }

  /// Takes all out and hands them to `take(Fiber&)` in the order in which they came. The loop's thread.
  template <typename Take>
  void take_all(Take&& take) noexcept {
    Fiber* newest = newest_.exchange(nullptr, std::memory_order_acquire);
    Fiber* oldest_first = nullptr;
    while (newest != nullptr) {
      Fiber* const next = newest->next_;
      newest->next_ = oldest_first;
      oldest_first = newest;
      newest = next;
    }
    while (oldest_first != nullptr) {
      Fiber& fiber = *oldest_first;
      oldest_first = fiber.next_;
      take(fiber);
    }
  }

 private:
  atomic<Fiber*> newest_{nullptr};
};

}  // namespace weft::inline v1::detail
