#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace weft::inline v1::detail {

/// A timer in a wheel; embedded in what waits. Not in a wheel: `next` is null.
struct timer_node {
  timer_node* next = nullptr;
  timer_node* previous = nullptr;
  std::uint64_t due = 0;    ///< tick
  std::uint16_t place = 0;  ///< level * 64 + slot while armed
  bool armed() const noexcept { return next != nullptr; }
};

/// A hierarchical timing wheel: 6 levels of 64 slots over whole ticks (Varghese and Lauck, 1987).
///
/// Arming and cancelling are O(1); a timer moves down at most five times before it is due. Holds
/// 2^36 ticks ahead; later ones wait at the rim and are placed anew from there. Not thread-safe.
class timer_wheel {
 public:
  timer_wheel() noexcept;
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  /// Puts the node in; a due time that has passed is due at the next advance.
  void arm(timer_node& node, std::uint64_t due) noexcept;
  /// Takes an armed node out.
  void cancel(timer_node& node) noexcept;
  /// A tick at which advance() may have something to do: never later than the earliest due node.
  std::optional<std::uint64_t> next_tick() const noexcept;
  bool empty() const noexcept { return size_ == 0; }
  std::uint64_t size() const noexcept { return size_; }

  /// Moves the wheel to `now` and calls `fire(timer_node&)` for every due node, in order of ticks.
  /// `fire` may arm and cancel timers of this wheel.
  template <typename Fire>
  void advance(std::uint64_t now, Fire&& fire) {
    while (timer_node* const node = pop_due(now)) fire(*node);
  }

 private:
  static constexpr int levels = 6;
  static constexpr int bits = 6;
  static constexpr int slots = 1 << bits;

  struct expiry {
    int level;
    int slot;
    std::uint64_t tick;
  };
  std::optional<expiry> next_expiry() const noexcept;
  timer_node* pop_due(std::uint64_t now) noexcept;
  void place(timer_node& node) noexcept;
  timer_node& head(int level, int slot) noexcept {
    return heads_[static_cast<std::size_t>(level * slots + slot)];
  }

  std::array<timer_node, levels * slots> heads_;
  std::array<std::uint64_t, levels> occupied_{};
  timer_node due_;  // head of the nodes that are due and not fired yet
  std::uint64_t elapsed_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace weft::inline v1::detail
