#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace weft::inline v1::detail {

/// Functions by which a component asks those above it, in the order in which they were added; none is taken
/// out. With static storage. Any thread; never waits.
template <typename Function, std::size_t Most>
class hook_table {
 public:
  /// Adds it, unless it is there. False: there are `Most` others.
  bool add(Function hook) noexcept {
    for (auto& place : hooks_) {
      Function found = nullptr;
      if (place.compare_exchange_strong(found, hook) || found == hook) return true;
    }
    return false;
  }
  /// Calls each with these arguments.
  template <typename... Args>
  void call_all(Args&&... args) const {
    for (const auto& place : hooks_) {
      const Function hook = place.load(std::memory_order_acquire);
      if (hook == nullptr) return;
      hook(args...);
    }
  }

 private:
  std::array<std::atomic<Function>, Most> hooks_{};  // filled from the front
};

}  // namespace weft::inline v1::detail
