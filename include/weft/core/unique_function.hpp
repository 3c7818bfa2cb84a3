#pragma once

#include <cstddef>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>

namespace weft::inline v1 {

template <typename Signature>
class unique_function;

/// A move-only std::function: owns any callable, also one that cannot be copied.
///
/// Callables of at most 48 bytes that move without throwing are kept inside, others on the heap.
/// Calling an empty one is a contract violation. Not thread-safe.
template <typename Result, typename... Args>
class unique_function<Result(Args...)> {
 public:
  unique_function() noexcept = default;
  unique_function(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor): as std::function

  template <typename Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, unique_function> &&
             std::is_invocable_r_v<Result, std::decay_t<Callable>&, Args...>)
  unique_function(Callable&& callable) {  // NOLINT(google-explicit-constructor): as std::function
    using held = std::decay_t<Callable>;
    if constexpr (fits<held>) {
      ::new (static_cast<void*>(storage_)) held(std::forward<Callable>(callable));
      actions_ = &inline_actions<held>;
    } else {
      ::new (static_cast<void*>(storage_)) held*(new held(std::forward<Callable>(callable)));
      actions_ = &heap_actions<held>;
    }
  }

  unique_function(unique_function&& other) noexcept { take(other); }
  unique_function& operator=(unique_function&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~unique_function() { reset(); }

  Result operator()(Args... args) { return actions_->call(storage_, std::forward<Args>(args)...); }
  explicit operator bool() const noexcept { return actions_ != nullptr; }

  /// Destroys the callable; empty afterwards.
  void reset() noexcept {
    if (actions_ != nullptr) std::exchange(actions_, nullptr)->destroy(storage_);
  }

 private:
  struct actions {
    Result (*call)(void* storage, Args&&... args);
    void (*move)(void* to, void* from) noexcept;
    void (*destroy)(void* storage) noexcept;
  };

  template <typename Held>
  static Result invoke_as_result(Held& held, Args&&... args) {
    if constexpr (std::is_void_v<Result>) {
      static_cast<void>(std::invoke(held, std::forward<Args>(args)...));  // of any type, as std::function
    } else {
      return std::invoke(held, std::forward<Args>(args)...);
    }
  }

  static constexpr std::size_t inline_bytes = 48;
  template <typename Held>
  static constexpr bool fits = sizeof(Held) <= inline_bytes && alignof(Held) <= alignof(std::max_align_t) &&
                               std::is_nothrow_move_constructible_v<Held>;

  template <typename Held>
  static constexpr actions inline_actions = {
      [](void* storage, Args&&... args) -> Result {
        return invoke_as_result(*static_cast<Held*>(storage), std::forward<Args>(args)...);
      },
      [](void* to, void* from) noexcept {
        ::new (to) Held(std::move(*static_cast<Held*>(from)));
        static_cast<Held*>(from)->~Held();
      },
      [](void* storage) noexcept { static_cast<Held*>(storage)->~Held(); }};

  template <typename Held>
  static constexpr actions heap_actions = {
      [](void* storage, Args&&... args) -> Result {
        return invoke_as_result(**static_cast<Held**>(storage), std::forward<Args>(args)...);
      },
      [](void* to, void* from) noexcept { ::new (to) Held*(*static_cast<Held**>(from)); },
      [](void* storage) noexcept { delete *static_cast<Held**>(storage); }};

  void take(unique_function& other) noexcept {
    if (other.actions_ == nullptr) return;
    other.actions_->move(storage_, other.storage_);
    actions_ = std::exchange(other.actions_, nullptr);
  }

  const actions* actions_ = nullptr;
  alignas(std::max_align_t) std::byte storage_[inline_bytes];
};

}  // namespace weft::inline v1
