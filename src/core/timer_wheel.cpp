#include <weft/core/timer_wheel.hpp>

#include <algorithm>
#include <bit>

namespace weft::inline v1::detail {
namespace {

constexpr std::uint16_t place_due = 0xffff;

void make_empty(timer_node& head) noexcept { head.next = head.previous = &head; }

void insert_before(timer_node& head, timer_node& node) noexcept {
  node.previous = head.previous;
  node.next = &head;
  head.previous->next = &node;
  head.previous = &node;
}

/// Moves what is in line at `from` to `to`, in its order, at once.
void take_all(timer_node& from, timer_node& to) noexcept {
  if (from.next == &from) {
    make_empty(to);
    return;
  }
  to.next = from.next;
  to.previous = from.previous;
  to.next->previous = &to;
  to.previous->next = &to;
  make_empty(from);
}

void unlink(timer_node& node) noexcept {
  node.previous->next = node.next;
  node.next->previous = node.previous;
  node.next = node.previous = nullptr;
}

}  // namespace

timer_wheel::timer_wheel() noexcept {
  for (auto& one : heads_) make_empty(one);
  make_empty(due_);
}

void timer_wheel::place(timer_node& node) noexcept {
  if (node.due <= elapsed_) {
    node.place = place_due;
    insert_before(due_, node);
    return;
  }
  const int level = std::min((63 - std::countl_zero((node.due ^ elapsed_) | (slots - 1))) / bits, levels - 1);
  const auto slot = static_cast<int>((node.due >> (bits * level)) & (slots - 1));
  node.place = static_cast<std::uint16_t>(level * slots + slot);
  insert_before(head(level, slot), node);
  occupied_[static_cast<std::size_t>(level)] |= std::uint64_t{1} << slot;
}

void timer_wheel::arm(timer_node& node, std::uint64_t due) noexcept {
  node.due = due;
  ++size_;
  place(node);
}

void timer_wheel::cancel(timer_node& node) noexcept {
  const std::uint16_t at = node.place;
  unlink(node);
  --size_;
  if (at == place_due) return;
  timer_node& line = heads_[at];
  if (line.next == &line) occupied_[at / slots] &= ~(std::uint64_t{1} << (at % slots));
}

std::optional<timer_wheel::expiry> timer_wheel::next_expiry() const noexcept {
  for (int level = 0; level < levels; ++level) {
    const std::uint64_t occupied = occupied_[static_cast<std::size_t>(level)];
    if (occupied == 0) continue;
    const int shift = bits * level;
    const auto now_slot = static_cast<int>((elapsed_ >> shift) & (slots - 1));
    // The slot of now comes last: what waits in it is one lap ahead, beyond the rim of the last level.
    const int slot = (std::countr_zero(std::rotr(occupied, now_slot + 1)) + now_slot + 1) % slots;
    const std::uint64_t level_range = std::uint64_t{1} << (shift + bits);
    std::uint64_t tick = (elapsed_ & ~(level_range - 1)) + (static_cast<std::uint64_t>(slot) << shift);
    if (tick <= elapsed_) tick += level_range;  // the rim: only the last level wraps
    return expiry{level, slot, tick};
  }
  return std::nullopt;
}

std::optional<std::uint64_t> timer_wheel::next_tick() const noexcept {
  if (due_.next != &due_) return elapsed_;
  const auto next = next_expiry();
  return next ? std::optional(next->tick) : std::nullopt;
}

timer_node* timer_wheel::pop_due(std::uint64_t now) noexcept {
  for (;;) {
    if (due_.next != &due_) {
      timer_node* const node = due_.next;
      unlink(*node);
      --size_;
      return node;
    }
    const auto next = next_expiry();
    if (!next || next->tick > now) {
      elapsed_ = std::max(elapsed_, now);
      return nullptr;
    }
    elapsed_ = next->tick;
    occupied_[static_cast<std::size_t>(next->level)] &= ~(std::uint64_t{1} << next->slot);
    timer_node& line = head(next->level, next->slot);
    timer_node moved;
    take_all(line, moved);
    while (moved.next != &moved) {
      timer_node& node = *moved.next;
      __builtin_prefetch(node.next->next, 1);  // nodes lie on cold stacks
      unlink(node);
      place(node);
    }
  }
}

}  // namespace weft::inline v1::detail
