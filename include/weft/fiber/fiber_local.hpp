#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <weft/fiber/fiber_extras.hpp>

namespace weft::inline v1 {

/// A variable of which each fiber has its own, made when the fiber first uses it.
///
/// Has static storage:
///     inline weft::fiber_local<parser> scratch;
///     inline weft::fiber_local<std::mt19937> dice([] { return std::mt19937(7); });
/// Not inherited: a child starts with a new one. For what follows the work, use a context key. On a
/// plain thread each thread has its own.
///
/// The values of a fiber end after its deferred calls, the last made first; those of a thread with its
/// thread_local objects, and a thread_local that uses one in its destructor must have used it before.
/// Their destructors may wait, shielded from cancellation, and may use other fiber_locals, which are
/// made anew where they have ended already; two that use each other there would not come to an end.
/// Cost: a few nanoseconds to find it; an allocation to make it.
template <typename Value>
class fiber_local {
 public:
  /// Values are value-initialised.
  constexpr fiber_local() noexcept
    requires std::is_default_constructible_v<Value>
      : make_([] { return Value(); }) {}
  /// Values come from `make`, which runs on the fiber that needs one; it may wait, and throw, which
  /// leaves the fiber without a value.
  constexpr explicit fiber_local(Value (*make)()) noexcept : make_(make) {}
  fiber_local(const fiber_local&) = delete;
  fiber_local& operator=(const fiber_local&) = delete;

  /// The running fiber's own. The reference is good until the fiber ends.
  Value& get() {
    Value* const found = find();
    return found != nullptr ? *found : make_here();
  }
  Value& operator*() { return get(); }
  Value* operator->() { return &get(); }

  /// The running fiber's own; null if it has not used it yet. Makes nothing.
  Value* find() const noexcept {
    const detail::fiber_extras* const extras = detail::fiber_extras::current_or_null();
    return extras == nullptr ? nullptr
                             : static_cast<Value*>(extras->find(index_.load(std::memory_order_relaxed)));
  }

 private:
  [[gnu::noinline]] Value& make_here() {
    auto made = std::unique_ptr<Value>(new Value(make_()));
    if (Value* const meanwhile = find()) return *meanwhile;  // `make_` used this variable
    detail::fiber_extras::current().keep(index(), made.get(),
                                         [](void* value) noexcept { delete static_cast<Value*>(value); });
    return *made.release();
  }
  std::uint32_t index() noexcept {
    std::uint32_t index = index_.load(std::memory_order_relaxed);
    if (index != 0) return index;
    const std::uint32_t fresh = detail::next_local_index();
    return index_.compare_exchange_strong(index, fresh, std::memory_order_relaxed) ? fresh : index;
  }

  std::atomic<std::uint32_t> index_{0};  // 0: nobody has used it yet
  Value (*make_)();
};

}  // namespace weft::inline v1
