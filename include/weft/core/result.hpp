#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace weft::inline v1 {

/// The outcome of a piece of work: a value or the exception that ended it.
template <typename Value>
class result {
 public:
  using value_type = Value;
  using stored_type = std::conditional_t<std::is_void_v<Value>, std::monostate, Value>;

  /// Success. For result<void> also the default.
  result()
    requires std::is_void_v<Value>
      : stored_(std::in_place_index<0>) {}
  result(stored_type value) : stored_(std::in_place_index<0>, std::move(value)) {}  // NOLINT
  /// Failure; `thrown` is not null.
  result(std::exception_ptr thrown) : stored_(std::in_place_index<1>, std::move(thrown)) {}  // NOLINT

  bool has_value() const noexcept { return stored_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The exception, or null for a success.
  std::exception_ptr error() const noexcept { return has_value() ? nullptr : std::get<1>(stored_); }

  /// The value; throws the exception if there is none.
  Value value() && {
    if (!has_value()) std::rethrow_exception(std::get<1>(stored_));
    if constexpr (!std::is_void_v<Value>) return std::move(std::get<0>(stored_));
  }
  const stored_type& value() const& {
    if (!has_value()) std::rethrow_exception(std::get<1>(stored_));
    return std::get<0>(stored_);
  }

  /// Runs `work` and keeps what comes of it, exceptions of any kind included.
  template <typename Work>
  static result of(Work&& work) noexcept {
    try {
      if constexpr (std::is_void_v<Value>) {
        std::forward<Work>(work)();
        return result();
      } else {
        return result(std::forward<Work>(work)());
      }
    } catch (...) {
      return result(std::current_exception());
    }
  }

 private:
  std::variant<stored_type, std::exception_ptr> stored_;
};

/// What a bounded wait found, besides a value.
enum class wait_end : unsigned char { value, closed, timed_out };

/// The outcome of a wait with a bound of its own: a value, closed, or timed out.
template <typename Value>
class waited {
 public:
  using stored_type = std::conditional_t<std::is_void_v<Value>, std::monostate, Value>;

  waited(stored_type value) : value_(std::move(value)), end_(wait_end::value) {}  // NOLINT
  static waited closed() { return waited(wait_end::closed); }
  static waited timed_out() { return waited(wait_end::timed_out); }

  bool has_value() const noexcept { return end_ == wait_end::value; }
  explicit operator bool() const noexcept { return has_value(); }
  bool is_closed() const noexcept { return end_ == wait_end::closed; }
  bool is_timed_out() const noexcept { return end_ == wait_end::timed_out; }
  wait_end end() const noexcept { return end_; }

  /// The value; it must have one.
  stored_type& operator*() & noexcept { return *value_; }
  stored_type&& operator*() && noexcept { return std::move(*value_); }
  stored_type* operator->() noexcept { return &*value_; }

 private:
  explicit waited(wait_end end) : end_(end) {}
  std::optional<stored_type> value_;
  wait_end end_;
};

}  // namespace weft::inline v1
