#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/fiber/once.hpp>

namespace weft::inline v1 {

/// A value that is made when it is first asked for, by a function that may wait.
///
/// Tasks that ask meanwhile wait for it. The function runs in the root context, because the value outlives
/// who asks first: it sees nobody's values, deadline or cancellation, nor does what it starts. When it
/// throws, the one that asked gets the exception, and the next one who asks tries again. The function is
/// destroyed once it has succeeded. Unlike a function-local static, it never blocks the thread while a fiber
/// makes the value.
///
/// Thread-safety: any fiber or thread may ask; the value itself is as safe as its type.
/// Cancellation, errors: as weft::once; asking for the value from within the function is weft::error
/// (misuse). Lifetime: outlives every call and every reference to the value. Cost: one load once it is made.
template <typename Value>
class lazy {
 public:
  /// `make` gives the value; not called before somebody asks.
  template <typename Make>
    requires std::is_invocable_r_v<Value, Make&>
  explicit lazy(Make make) : make_(std::move(make)) {}
  lazy(const lazy&) = delete;
  lazy& operator=(const lazy&) = delete;

  /// The value; makes it, or waits for whoever makes it.
  Value& get() {
    ensure();
    return *value_;
  }
  const Value& get() const {
    ensure();
    return *value_;
  }
  Value& operator*() { return get(); }
  const Value& operator*() const { return get(); }
  Value* operator->() { return &get(); }
  const Value* operator->() const { return &get(); }

  /// Is it there? Never waits.
  bool made() const noexcept { return once_.done(); }

 private:
  void ensure() const {
    once_.call([this] {
      const context::attachment in_root{context()};
      value_.emplace(make_());
      make_.reset();
    });
  }

  mutable once once_;
  mutable unique_function<Value()> make_;  // used by the one that runs in once_
  mutable std::optional<Value> value_;     // constant once made, as far as we go
};

}  // namespace weft::inline v1
