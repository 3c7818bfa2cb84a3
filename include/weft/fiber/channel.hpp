#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <weft/context/select_case.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/atomic.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/result.hpp>

namespace weft::inline v1 {

namespace detail {
template <typename Value>
class pop_case;
template <typename Value>
class push_case;
[[noreturn]] void refuse_channel_capacity(std::size_t capacity);
[[noreturn]] void channel_destroyed_under_waiters(std::size_t producers, std::size_t consumers) noexcept;
}  // namespace detail

/// How many wait at a channel, how much it holds, and what went through it.
struct channel_statistics {
  std::size_t size = 0;               ///< values in it now
  std::size_t producers_waiting = 0;  ///< tasks that wait for room, selects included
  std::size_t consumers_waiting = 0;  ///< tasks that wait for a value, selects included
  std::uint64_t pushed = 0;           ///< values it took since it was made
  std::uint64_t popped = 0;           ///< values it gave since it was made
};

/// A bounded queue between tasks: fibers of any run, and plain threads.
///
/// Producers wait while it is full and consumers while it is empty, each served in arrival order.
/// After close(), consumers drain what is left. Capacity 0 hands each value straight to a consumer.
/// A consumer served by a producer gets the value directly; it cannot be taken by a later one.
/// weft::select waits for several channels at once.
///
/// Thread-safety: all members may be called from any fiber or thread.
/// Lifetime: outlives every task that waits on it; to destroy it under one is a contract violation that
/// ends the program. Who has popped the last value may destroy it, also while the push of that value is still
/// returning, unless that push had to wait: one that parked looks at the channel once more.
/// Cancellation: a cancelled or timed-out wait leaves the channel unchanged; a value that was handed
/// over at the same moment is delivered, and the cancellation is seen by the next wait.
/// Values need a move constructor that does not throw. They are moved, and what is left of a moved one is
/// destroyed, under the channel's spin lock: neither may use the channel or wait. A value that still is
/// one is never destroyed under the lock, so such destructors may do what they like.
/// Cost: the memory for `capacity` values, rounded up to a power of two, is taken at once.
template <typename Value>
class channel {
  static_assert(
      std::is_nothrow_move_constructible_v<Value>,
      "weft::channel: the value's move constructor may throw; a value could be lost between two tasks. "
      "Make it noexcept, or send a std::unique_ptr to it.");

 public:
  /// Holds at most `capacity` values. Throws weft::error (invalid_argument) above 2^30.
  explicit channel(std::size_t capacity) : capacity_(capacity) {
    if (capacity > capacity_max) detail::refuse_channel_capacity(capacity);
    std::size_t cells = 1;
    while (cells < capacity) cells *= 2;
    mask_ = cells - 1;
    if (capacity > 0) cells_ = std::make_unique_for_overwrite<cell[]>(cells);
  }
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  ~channel() {
    if (!producers_.empty() || !consumers_.empty()) {
      detail::channel_destroyed_under_waiters(producers_.size(), consumers_.size());
    }
    while (size() > 0) take_stored();
  }

  /// Waits for room, then enqueues `value`. Returns false, and drops the value, once the channel is closed.
  bool push(Value value) { return wait_push(value, no_deadline) == wait_end::value; }
  /// Enqueues `value` if there is room or a consumer waits; else leaves it untouched and returns false.
  bool try_push(Value& value) {
    const std::lock_guard lock(lock_);
    return !is_closed_now() && place(value);
  }
  bool try_push(Value&& value) { return try_push(value); }
  /// As push, but waits at most `bound`; closed and timed_out leave `value` untouched.
  template <typename Rep, typename Period>
  wait_end push_for(Value& value, std::chrono::duration<Rep, Period> bound) {
    return wait_push(value, deadline_after(bound));
  }
  template <typename Rep, typename Period>
  wait_end push_for(Value&& value, std::chrono::duration<Rep, Period> bound) {
    return wait_push(value, deadline_after(bound));
  }
  /// As push_for, until a point of the monotonic clock.
  wait_end push_until(Value& value, steady_time until) { return wait_push(value, until); }
  wait_end push_until(Value&& value, steady_time until) { return wait_push(value, until); }

  /// Waits for the next value. Empty once the channel is closed and drained.
  std::optional<Value> pop() {
    std::optional<Value> into;
    wait_pop(into, no_deadline);
    return into;
  }
  /// The next value if one is there.
  std::optional<Value> try_pop() {
    std::optional<Value> into;
    const std::lock_guard lock(lock_);
    take(into);
    return into;
  }
  /// As pop, but waits at most `bound`.
  template <typename Rep, typename Period>
  waited<Value> pop_for(std::chrono::duration<Rep, Period> bound) {
    return pop_until(deadline_after(bound));
  }
  /// As pop_for, until a point of the monotonic clock.
  waited<Value> pop_until(steady_time until) {
    std::optional<Value> into;
    switch (wait_pop(into, until)) {
      case wait_end::value:
        return waited<Value>(std::move(*into));
      case wait_end::closed:
        return waited<Value>::closed();
      case wait_end::timed_out:
        break;
    }
    return waited<Value>::timed_out();
  }

  /// Refuses further pushes and wakes all waiters. False if it was closed before.
  bool close() noexcept {
    const std::lock_guard lock(lock_);
    if (is_closed_now()) return false;
    closed_.store(true, std::memory_order_relaxed);
    producers_.serve_all();
    consumers_.serve_all();
    return true;
  }
  bool is_closed() const noexcept {
    const std::lock_guard lock(lock_);
    return is_closed_now();
  }
  /// How many values it holds; another task may change that before the caller looks.
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  std::size_t capacity() const noexcept { return capacity_; }
  channel_statistics statistics() const noexcept {
    const std::lock_guard lock(lock_);
    return {size(), producers_.size(), consumers_.size(), pushed_, pushed_ - size()};
  }

  /// `for (auto& value : channel)` pops until the channel is closed and drained. One consumer's view.
  class iterator {
   public:
    explicit iterator(channel* from) : from_(from) { ++*this; }
    Value& operator*() noexcept { return *value_; }
    iterator& operator++() {
      value_ = from_->pop();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const noexcept { return !value_.has_value(); }

   private:
    channel* from_;
    std::optional<Value> value_;
  };
  iterator begin() { return iterator(this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend class detail::pop_case<Value>;
  friend class detail::push_case<Value>;

  static constexpr std::size_t capacity_max = std::size_t{1} << 30;
  struct cell {
    alignas(Value) std::byte bytes[sizeof(Value)];
  };

  // A guess of what a push or a pop would find, without the lock.
  bool seems_pushable() const noexcept {
    return size() < capacity_ || !consumers_.empty() || is_closed_now();
  }
  bool seems_poppable() const noexcept { return size() > 0 || !producers_.empty() || is_closed_now(); }

  // All of these are called with lock_ held.
  bool is_closed_now() const noexcept { return closed_.load(std::memory_order_relaxed); }
  void store(Value& value) noexcept {
    const std::size_t held = size();
    ::new (static_cast<void*>(cells_[(first_ + held) & mask_].bytes)) Value(std::move(value));
    size_.store(held + 1, std::memory_order_relaxed);
  }
  Value take_stored() noexcept {
    auto* const at = std::launder(reinterpret_cast<Value*>(cells_[first_++ & mask_].bytes));
    size_.store(size() - 1, std::memory_order_relaxed);
    Value value(std::move(*at));
    at->~Value();
    return value;
  }
  /// Moves `value` to a waiting consumer or into the ring. False: no room.
  bool place(Value& value) noexcept {
    if (detail::waiter* const consumer = consumers_.claim_front()) {
      static_cast<std::optional<Value>*>(consumer->slot)->emplace(std::move(value));
      consumers_.serve(*consumer);
    } else if (size() < capacity_) {
      store(value);
    } else {
      return false;
    }
    ++pushed_;
    return true;
  }
  /// Takes the oldest value, from the ring or from a waiting producer, who then gets its place.
  bool take(std::optional<Value>& into) noexcept {
    if (size() > 0) into.emplace(take_stored());
    if (detail::waiter* const producer = producers_.claim_front()) {
      Value& offered = *static_cast<Value*>(producer->slot);
      if (!into) {
        into.emplace(std::move(offered));
      } else {
        store(offered);
      }
      ++pushed_;
      producer->slot = nullptr;
      producers_.serve(*producer);
    }
    return into.has_value();
  }

  wait_end wait_push(Value& value, steady_time until) {
    constexpr const char* what = "channel::push";
    detail::task_block& task = detail::task_block::current();
    detail::check_cancelled(task, what);
    std::unique_lock lock(lock_);
    if (is_closed_now()) return wait_end::closed;
    if (place(value)) return wait_end::value;
    detail::waiter self;
    self.slot = &value;
    const auto outcome = detail::wait_and_leave(task, producers_, self, lock, until, what);
    if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled(what);
    if (outcome == detail::wait_outcome::timed_out) return wait_end::timed_out;
    return self.slot == nullptr ? wait_end::value : wait_end::closed;
  }

  /// `into` is empty.
  wait_end wait_pop(std::optional<Value>& into, steady_time until) {
    constexpr const char* what = "channel::pop";
    detail::task_block& task = detail::task_block::current();
    detail::check_cancelled(task, what);
    std::unique_lock lock(lock_);
    if (take(into)) return wait_end::value;
    if (is_closed_now()) return wait_end::closed;
    detail::waiter self;
    self.slot = &into;
    const auto outcome = detail::wait_and_leave(task, consumers_, self, lock, until, what);
    if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled(what);
    if (outcome == detail::wait_outcome::timed_out) return wait_end::timed_out;
    return into ? wait_end::value : wait_end::closed;
  }

  mutable detail::spin_lock lock_;
  detail::atomic<bool> closed_{false};   // written under lock_; read without it as a guess
  std::size_t capacity_;                 // constant after construction
  std::size_t mask_ = 0;                 // constant after construction
  std::unique_ptr<cell[]> cells_;        // ring; guarded by lock_
  std::size_t first_ = 0;                // guarded by lock_
  detail::atomic<std::size_t> size_{0};  // written under lock_; read without it as a guess
  std::uint64_t pushed_ = 0;             // guarded by lock_
  detail::waiter_line producers_;        // guarded by lock_; empty unless the ring is full
  detail::waiter_line consumers_;        // guarded by lock_; empty unless the ring is empty
};

namespace detail {

/// A pop as a case of a select.
template <typename Value>
class pop_case : public select_case {
 public:
  bool seems_ready() const noexcept final { return from_->seems_poppable(); }
  bool try_now() noexcept final {
    return from_->take(*static_cast<std::optional<Value>*>(slot())) || from_->is_closed_now();
  }

 protected:
  explicit pop_case(channel<Value>& from) noexcept
      : select_case(&from.lock_, &from.consumers_), from_(&from) {}
  pop_case(pop_case&&) noexcept = default;
  ~pop_case() override = default;
  /// Where the value goes; it must be empty. Before each select.
  void aim_at(std::optional<Value>& into) noexcept { set_slot(&into); }

 private:
  channel<Value>* from_;
};

/// A push as a case of a select.
template <typename Value>
class push_case : public select_case {
 public:
  bool seems_ready() const noexcept final { return to_->seems_pushable(); }
  bool try_now() noexcept final {
    if (to_->is_closed_now()) return true;
    if (!to_->place(*static_cast<Value*>(slot()))) return false;
    set_slot(nullptr);
    return true;
  }

 protected:
  explicit push_case(channel<Value>& to) noexcept : select_case(&to.lock_, &to.producers_), to_(&to) {}
  push_case(push_case&&) noexcept = default;
  ~push_case() override = default;
  /// What is to be pushed. Before each select.
  void load(Value& value) noexcept { set_slot(&value); }
  /// After it was chosen: was the value taken? Else the channel is closed.
  bool was_pushed() const noexcept { return slot() == nullptr; }

 private:
  channel<Value>* to_;
};

}  // namespace detail
}  // namespace weft::inline v1
