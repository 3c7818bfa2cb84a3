#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weft::inline v1::detail {

/// Tasks in the order in which they start: the largest priority first, among equals first come, first served.
///
/// A line for each priority and a bit for each line that is not empty, so both ends cost the same however
/// many wait. `Task` has a `next` and a `priority()`. Owns nothing. Not thread-safe.
template <typename Task>
class task_lines {
 public:
  static constexpr int priority_min = -32;
  static constexpr int priority_max = 31;

  static bool is_valid(int priority) noexcept { return priority_min <= priority && priority <= priority_max; }

  bool empty() const noexcept { return occupied_ == 0; }
  std::size_t size() const noexcept { return size_; }

  /// Its priority is valid.
  void push(Task& added) noexcept {
    const auto index = static_cast<std::size_t>(added.priority() - priority_min);
    line& to = lines_[index];
    added.next = nullptr;
    (to.last != nullptr ? to.last->next : to.first) = &added;
    to.last = &added;
    occupied_ |= std::uint64_t{1} << index;
    ++size_;
  }

  /// The next one; there is one.
  Task& pop() noexcept {
    const auto index = static_cast<std::size_t>(std::bit_width(occupied_) - 1);
    line& from = lines_[index];
    Task& taken = *from.first;
    from.first = taken.next;
    if (from.first == nullptr) {
      from.last = nullptr;
      occupied_ &= ~(std::uint64_t{1} << index);
    }
    --size_;
    return taken;
  }

 private:
  struct line {
    Task* first = nullptr;
    Task* last = nullptr;
  };
  std::array<line, 64> lines_;
  std::uint64_t occupied_ = 0;
  std::size_t size_ = 0;
};

}  // namespace weft::inline v1::detail
