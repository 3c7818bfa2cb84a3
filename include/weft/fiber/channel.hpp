#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/core/result.hpp>

namespace weft {

/// How many wait at a channel, and how much it holds.
struct channel_statistics {
  std::size_t size = 0;
  std::size_t producers_waiting = 0;
  std::size_t consumers_waiting = 0;
};

/// A bounded queue between tasks: fibers of any run, and plain threads.
///
/// Producers wait while it is full and consumers while it is empty, each served in arrival order.
/// After close(), consumers drain what is left. Capacity 0 hands each value straight to a consumer.
/// A consumer served by a producer gets the value directly; it cannot be taken by a later one.
///
/// Thread-safety: all members may be called from any fiber or thread.
/// Lifetime: outlives every task that waits on it.
/// Cancellation: a cancelled or timed-out wait leaves the channel unchanged; a value that was handed
/// over at the same moment is delivered, and the cancellation is seen by the next wait.
/// Values need a move constructor that does not throw.
template <typename Value>
class channel {
  static_assert(
      std::is_nothrow_move_constructible_v<Value>,
      "weft::channel: the value's move constructor may throw; a value could be lost between two tasks. "
      "Make it noexcept, or send a std::unique_ptr to it.");

 public:
  explicit channel(std::size_t capacity) : capacity_(capacity) {
    if (capacity > capacity_max) {
      throw error(errc::invalid_argument,
                  "channel: a capacity of " + std::to_string(capacity) + " is absurd");
    }
    std::size_t cells = 1;
    while (cells < capacity) cells *= 2;
    mask_ = cells - 1;
    if (capacity > 0) cells_ = std::make_unique<cell[]>(cells);
  }
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  ~channel() {
    while (size_ > 0) take_stored();
  }

  /// Waits for room, then enqueues `value`. Returns false, and drops the value, once the channel is closed.
  bool push(Value value) { return push_until_impl(value, no_deadline) == wait_end::value; }
  /// Enqueues `value` if there is room or a consumer waits; else leaves it untouched and returns false.
  bool try_push(Value& value) {
    const std::lock_guard lock(lock_);
    return !closed_ && place(value);
  }
  bool try_push(Value&& value) { return try_push(value); }
  /// As push, but waits at most `bound`; closed and timed_out leave `value` untouched.
  template <typename Rep, typename Period>
  wait_end push_for(Value& value, std::chrono::duration<Rep, Period> bound) {
    return push_until_impl(value, deadline_after(bound));
  }

  /// Waits for the next value. Empty once the channel is closed and drained.
  std::optional<Value> pop() {
    std::optional<Value> into;
    pop_until_impl(into, no_deadline);
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
    std::optional<Value> into;
    switch (pop_until_impl(into, deadline_after(bound))) {
      case wait_end::value:
        return waited<Value>(std::move(*into));
      case wait_end::closed:
        return waited<Value>::closed();
      case wait_end::timed_out:
        break;
    }
    return waited<Value>::timed_out();
  }

  /// Refuses further pushes and wakes all waiters. Calling it again has no effect.
  void close() noexcept {
    const std::lock_guard lock(lock_);
    closed_ = true;
    producers_.serve_all();
    consumers_.serve_all();
  }
  bool is_closed() const noexcept {
    const std::lock_guard lock(lock_);
    return closed_;
  }
  std::size_t capacity() const noexcept { return capacity_; }
  channel_statistics statistics() const noexcept {
    const std::lock_guard lock(lock_);
    return {size_, producers_.size(), consumers_.size()};
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
  static constexpr std::size_t capacity_max = std::size_t{1} << 30;
  struct cell {
    alignas(Value) std::byte bytes[sizeof(Value)];
  };

  // All of these are called with lock_ held.
  void store(Value& value) noexcept {
    ::new (static_cast<void*>(cells_[(first_ + size_) & mask_].bytes)) Value(std::move(value));
    ++size_;
  }
  Value take_stored() noexcept {
    auto* const at = std::launder(reinterpret_cast<Value*>(cells_[first_++ & mask_].bytes));
    --size_;
    Value value(std::move(*at));
    at->~Value();
    return value;
  }
  /// Moves `value` to a waiting consumer or into the ring. False: no room.
  bool place(Value& value) noexcept {
    if (!consumers_.empty()) {
      detail::waiter& consumer = *consumers_.front();
      static_cast<std::optional<Value>*>(consumer.slot)->emplace(std::move(value));
      consumers_.serve(consumer);
      return true;
    }
    if (size_ == capacity_) return false;
    store(value);
    return true;
  }
  /// Takes the oldest value, from the ring or from a waiting producer, who then gets its place.
  bool take(std::optional<Value>& into) noexcept {
    if (size_ > 0) into.emplace(take_stored());
    if (!producers_.empty()) {
      detail::waiter& producer = *producers_.front();
      Value& offered = *static_cast<Value*>(producer.slot);
      if (!into) {
        into.emplace(std::move(offered));
      } else {
        store(offered);
      }
      producer.slot = nullptr;
      producers_.serve(producer);
    }
    return into.has_value();
  }

  wait_end push_until_impl(Value& value, steady_time until) {
    detail::check_cancelled("channel::push");
    std::unique_lock lock(lock_);
    if (closed_) return wait_end::closed;
    if (place(value)) return wait_end::value;
    detail::waiter self;
    self.slot = &value;
    const auto outcome = detail::wait_in(producers_, self, lock, until, "channel::push");
    lock.unlock();
    if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled("channel::push");
    if (outcome == detail::wait_outcome::timed_out) return wait_end::timed_out;
    return self.slot == nullptr ? wait_end::value : wait_end::closed;
  }

  wait_end pop_until_impl(std::optional<Value>& into, steady_time until) {
    detail::check_cancelled("channel::pop");
    std::unique_lock lock(lock_);
    if (take(into)) return wait_end::value;
    if (closed_) return wait_end::closed;
    detail::waiter self;
    self.slot = &into;
    const auto outcome = detail::wait_in(consumers_, self, lock, until, "channel::pop");
    lock.unlock();
    if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled("channel::pop");
    if (outcome == detail::wait_outcome::timed_out) return wait_end::timed_out;
    return into ? wait_end::value : wait_end::closed;
  }

  mutable detail::spin_lock lock_;
  std::size_t capacity_;           // constant after construction
  std::size_t mask_ = 0;           // constant after construction
  std::unique_ptr<cell[]> cells_;  // ring; guarded by lock_
  std::size_t first_ = 0;          // guarded by lock_
  std::size_t size_ = 0;           // guarded by lock_
  bool closed_ = false;            // guarded by lock_
  detail::waiter_line producers_;  // guarded by lock_; empty unless the ring is full
  detail::waiter_line consumers_;  // guarded by lock_; empty unless the ring is empty
};

}  // namespace weft
