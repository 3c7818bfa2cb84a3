#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>
#include <weft/fiber/scope_child.hpp>

namespace weft::inline v1 {

/// What an error of one child means for the others.
enum class child_errors : unsigned char {
  cancel_siblings,  ///< the first one cancels the scope
  to_handles,       ///< the others go on, and join() does not throw: it is the handle's, else uncaught
  keep_going,       ///< the others go on; join() throws the first one when all have ended
};

/// How a scope runs its children.
struct scope_options {
  std::size_t width_max = SIZE_MAX;                       ///< children at once; go() waits above
  child_errors on_error = child_errors::cancel_siblings;  ///< weft::exit ends the scope in any case
};

/// An error of a child besides the one that was thrown.
struct child_error {
  std::exception_ptr error;
  std::uint64_t fiber_id = 0;
  std::string name = {};
};

template <typename Body>
auto with_scope(Body&& body, scope_options options = {}) -> std::invoke_result_t<Body&, scope&>;

/// Children that end before the scope does: what they capture by reference is safe.
///
/// The first child that fails cancels its siblings and whatever the scope's own fiber waits for inside
/// the scope, and join() throws its error. Lives on the stack of one fiber, which is also the one that
/// joins; go() may be called by that fiber and by the children, cancel() by anybody.
///     weft::scope s;
///     auto left = s.go([&] { return sum(a); });
///     auto right = s.go([&] { return sum(b); });
///     s.join();
///     return left.join() + right.join();
/// Where the fiber itself waits for other things inside the scope, prefer with_scope: a failed child
/// ends such a wait with weft::cancelled, which with_scope turns into the child's error. A scope that
/// is left without join() can only hand errors to the uncaught handler; an exit ends the run.
///
/// A child is over when its function, what it deferred, its locals and its captures are; join() waits
/// for all that. A child that gives up because it was asked to has not failed.
class scope final : private detail::fiber_watcher {
 public:
  /// Throws weft::error (invalid_argument) for a width of 0.
  explicit scope(scope_options options = {});
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  /// Cancels what still runs, unless join() was called, and waits for it: the wait itself is not cancelled.
  ~scope();

  /// Runs `function` as a child. It takes the caller's context along, or that of `options`, and is
  /// cancelled with the scope in any case. Waits while `width_max` children run, in order of arrival; a
  /// cancellation point only if there is such a limit. A child that calls it keeps its own place
  /// meanwhile. Throws as weft::go; there is no new child then.
  template <typename Function>
  auto go(Function&& function, go_options options = {},
          std::source_location from = std::source_location::current()) {
    take_place();
    return start(std::forward<Function>(function), std::move(options), from);
  }
  /// As go(), but never waits: empty where `width_max` children run.
  template <typename Function>
  auto try_go(Function&& function, go_options options = {},
              std::source_location from = std::source_location::current())
      -> std::optional<child<std::invoke_result_t<std::decay_t<Function>&>>> {
    if (!try_take_place()) return std::nullopt;
    return start(std::forward<Function>(function), std::move(options), from);
  }

  /// Waits for all children. Throws weft::exit's exception of a child, else the first error; what else
  /// went wrong is suppressed(). Cancelled itself, it cancels the children, waits for them, and throws
  /// weft::cancelled. Afterwards the scope is as new: cancelled no more, and may start others.
  void join();
  /// As join(), but false when `bound` passed first: the children go on.
  template <typename Rep, typename Period>
  bool join_for(std::chrono::duration<Rep, Period> bound) {
    return join_until(deadline_after(bound));
  }
  bool join_until(steady_time until);

  /// Asks all children, and what the scope's own fiber waits for inside it, to give up; join() then
  /// returns as if they had ended. Any thread.
  void cancel(cancel_reason reason = cancel_reason::requested) noexcept;

  /// Children that are not over.
  std::size_t running() const noexcept;
  /// Children that failed since the scope was made; those that gave up are not counted.
  std::size_t failures() const noexcept;
  /// The errors that join() did not throw, in order, at most 64; later ones go to the uncaught handler
  /// at once, and these when the scope ends, unless they were taken by this call.
  std::vector<child_error> take_suppressed();

 private:
  template <typename Body>
  friend auto with_scope(Body&& body, scope_options options) -> std::invoke_result_t<Body&, scope&>;
  friend class detail::scope_child;
  using task_lock = std::unique_lock<detail::spin_lock>;
  static constexpr std::size_t failed_kept_max = 64;

  template <typename Function>
  auto start(Function&& function, go_options options, std::source_location from) {
    using held = std::decay_t<Function>;
    using value = std::invoke_result_t<held&>;
    place_guard place{this};
    const bool outside = options.context.has_value() || !cancel_.covers_current();
    detail::fiber_origin origin = detail::origin_of(options, from);
    auto* const block = new detail::child_body<value, held>(origin, *this, std::forward<Function>(function));
    child<value> handle(block);
    if (outside) add_outsider(*block);
    spawn(block);
    place.of = nullptr;
    return handle;
  }

  /// Gives the place back where the child could not be started.
  struct place_guard {
    scope* of;
    ~place_guard() {
      if (of != nullptr) of->fiber_over();
    }
  };

  void spawn(detail::scope_child* child_ref);
  void take_place();
  bool try_take_place() noexcept;
  void fiber_over() noexcept override;
  void function_over(detail::scope_child& child) noexcept;
  void add_outsider(detail::scope_child& child) noexcept;
  void remove_outsider(detail::scope_child& child) noexcept;
  void keep_failure(detail::scope_child& child, const std::exception_ptr& error) noexcept;
  void cancel_all(cancel_reason reason) noexcept;
  bool is_mine() const noexcept;
  bool has_failed() const noexcept;
  bool wait_all(steady_time until, bool& gave_up);
  void wait_all_shielded();
  void throw_outcome(bool gave_up);
  detail::scope_child* take_first_failed() noexcept;
  static void hand_on(detail::scope_child& failed) noexcept;
  [[noreturn]] void leave_by(const std::exception_ptr& thrown);

  const scope_options options_;
  const std::uint64_t owner_id_;
  cancel_scope cancel_;
  mutable detail::spin_lock lock_;
  std::size_t running_ = 0;                   // guarded by lock_
  std::size_t failures_ = 0;                  // guarded by lock_
  std::size_t failed_kept_ = 0;               // guarded by lock_
  bool child_gave_up_ = false;                // guarded by lock_; because it was asked to
  bool cancelled_here_ = false;               // guarded by lock_
  detail::waiter_line wants_place_;           // guarded by lock_
  detail::waiter_line joins_;                 // guarded by lock_
  detail::failed_line failed_;                // guarded by lock_
  detail::failed_line suppressed_;            // the owner's
  detail::scope_child* outsiders_ = nullptr;  // guarded by lock_; under another cancellation than ours
};

/// Runs `body(scope&)` and joins what it started; gives its value. What it throws is treated as a
/// failure of a child: the children are cancelled and waited for, and the first error is thrown, be it
/// the body's or a child's. This is the form in which the body may wait for anything.
///     const auto page = weft::with_scope([&](weft::scope& s) { s.go(load); return parts.pop(); });
template <typename Body>
auto with_scope(Body&& body, scope_options options) -> std::invoke_result_t<Body&, scope&> {
  using value = std::invoke_result_t<Body&, scope&>;
  scope inside(options);
  try {
    if constexpr (std::is_void_v<value>) {
      std::invoke(body, inside);
      inside.join();
    } else {
      value given = std::invoke(body, inside);
      inside.join();
      return std::forward<value>(given);
    }
  } catch (...) {
    inside.leave_by(std::current_exception());
  }
}

}  // namespace weft::inline v1
