#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include <weft/core/atomic.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/fiber/fiber_block.hpp>

namespace weft::inline v1::detail {

/// Fibers in line for their turn; the links are in the fibers. Not thread-safe.
template <typename Fiber>
class line_of {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  Fiber* front() const noexcept { return first_; }
  std::size_t length() const noexcept { return length_; }
  /// The one behind `index` others.
  Fiber& at(std::size_t index) const noexcept {
    Fiber* one = first_;
    for (; index > 0; --index) one = one->next_;
    return *one;
  }

  void push_back(Fiber& fiber) noexcept {
    fiber.next_ = nullptr;
    fiber.previous_ = last_;
    (last_ != nullptr ? last_->next_ : first_) = &fiber;
    last_ = &fiber;
    ++length_;
  }
  void push_front(Fiber& fiber) noexcept {
    fiber.previous_ = nullptr;
    fiber.next_ = first_;
    (first_ != nullptr ? first_->previous_ : last_) = &fiber;
    first_ = &fiber;
    ++length_;
  }
  /// Moves those from `first` to `last`, who stand in this order, to the front.
  void move_to_front(Fiber& first, Fiber& last) noexcept {
    if (&first == first_) return;
    first.previous_->next_ = last.next_;
    (last.next_ != nullptr ? last.next_->previous_ : last_) = first.previous_;
    first.previous_ = nullptr;
    last.next_ = first_;
    first_->previous_ = &last;
    first_ = &first;
  }
  void remove(Fiber& fiber) noexcept {
    (fiber.previous_ != nullptr ? fiber.previous_->next_ : first_) = fiber.next_;
    (fiber.next_ != nullptr ? fiber.next_->previous_ : last_) = fiber.previous_;
    --length_;
  }

 private:
  Fiber* first_ = nullptr;
  Fiber* last_ = nullptr;
  std::size_t length_ = 0;
};

/// The fibers of one loop that have not started. Its own thread puts them in and starts them; other
/// loops take some away while they have nothing to do. A fiber's home changes under the lock, and
/// only while it is in here.
template <typename Fiber, typename Loop>
class unstarted_line_of {
 public:
  void push_back(Fiber& fiber) noexcept {
    const std::lock_guard lock(lock_);
    fiber.is_unstarted_ = true;
    line_.push_back(fiber);
    count_.store(size() + 1, std::memory_order_relaxed);
  }

  /// Takes the first one if its turn is before `turn`. The loop's own thread.
  Fiber* pop_before(std::int64_t turn) noexcept {
    if (size() == 0) return nullptr;
    const std::lock_guard lock(lock_);
    Fiber* const first = line_.front();
    if (first == nullptr || first->turn_ >= turn) return nullptr;
    take(*first);
    return first;
  }

  /// Takes the one behind `index` others. The loop's own thread, in a simulation: there is no other loop.
  Fiber* pop_at(std::size_t index) noexcept {
    const std::lock_guard lock(lock_);
    Fiber& one = line_.at(index);
    take(one);
    return &one;
  }

  /// If `fiber` is still here, gives it and its siblings right behind it the turns before `first_turn`,
  /// which is that of all others, and lowers it. The loop's own thread.
  void move_to_front(Fiber& fiber, std::int64_t& first_turn, const Loop* here) noexcept {
    const std::lock_guard lock(lock_);
    // The home first: of another home's fibers the mark is not ours to read.
    if (fiber.home_.load(std::memory_order_relaxed) != here || !fiber.is_unstarted_) return;
    int count = 1;
    Fiber& last = last_of_siblings(fiber, count);
    first_turn -= count;
    std::int64_t turn = first_turn;
    for (Fiber* one = &fiber; turn < first_turn + count; one = one->next_) one->turn_ = turn++;
    line_.move_to_front(fiber, last);
  }

  /// The turn right behind the siblings in front, children of `parent_id`; nothing if there is none in front.
  /// The loop's own thread.
  std::optional<std::int64_t> turn_behind_children(std::uint64_t parent_id) noexcept {
    if (size() == 0) return std::nullopt;
    const std::lock_guard lock(lock_);
    Fiber* const first = line_.front();
    if (first == nullptr || first->parent_id_ != parent_id) return std::nullopt;
    int count = 1;
    return last_of_siblings(*first, count).turn_ + 1;
  }

  /// Moves up to `count_max` of them to `into`, oldest first, and to their new home. Any loop's thread.
  std::size_t steal(line_of<Fiber>& into, std::size_t count_max, Loop* thief) noexcept {
    const std::lock_guard lock(lock_);
    std::size_t moved = 0;
    for (; moved < count_max && !line_.empty(); ++moved) {
      Fiber& fiber = *line_.front();
      take(fiber);
      fiber.home_.store(thief, std::memory_order_relaxed);
      into.push_back(fiber);
    }
    return moved;
  }

  /// The turn of the first one; `nobody` if there is none. The loop's own thread.
  std::int64_t front_turn(std::int64_t nobody) noexcept {
    if (size() == 0) return nobody;
    const std::lock_guard lock(lock_);
    return line_.empty() ? nobody : line_.front()->turn_;
  }

  /// Any thread; out of date at once.
  std::size_t size() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  static constexpr int siblings_max = 32;

  /// Of those who stand in line right behind `first` and have the same parent; adds their number.
  static Fiber& last_of_siblings(Fiber& first, int& count) noexcept {
    Fiber* last = &first;
    while (count < siblings_max && last->next_ != nullptr && last->next_->parent_id_ == first.parent_id_) {
      last = last->next_;
      ++count;
    }
    return *last;
  }
  void take(Fiber& fiber) noexcept {
    line_.remove(fiber);
    fiber.is_unstarted_ = false;
    count_.store(size() - 1, std::memory_order_relaxed);
  }

  spin_lock lock_;
  line_of<Fiber> line_;           // guarded by lock_
  atomic<std::size_t> count_{0};  // written under lock_
};

using fiber_line = line_of<fiber_block>;
using unstarted_line = unstarted_line_of<fiber_block, scheduler>;

}  // namespace weft::inline v1::detail
