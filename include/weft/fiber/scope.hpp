#pragma once

#include <exception>
#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/sync.hpp>

namespace weft {

/// Children that end before the scope does: what they capture by reference is safe.
///
/// The first child that fails cancels its siblings, and join() throws its error. Lives on the stack
/// of one fiber; go() may be called by that fiber and by the children.
///     weft::scope s;
///     s.go([&] { ... });
///     s.go([&] { ... });
///     s.join();
class scope {
 public:
  scope() = default;
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  /// Cancels what still runs, unless join() was called, and waits for it: the wait itself is not cancelled.
  ~scope();

  /// Runs `function` as a child. Its result is dropped; write results through references.
  template <typename Function>
  void go(Function&& function, go_options options = {},
          std::source_location from = std::source_location::current()) {
    weft::go(child<std::decay_t<Function>>{{}, membership(*this), std::forward<Function>(function)},
             std::move(options), from);
  }

  /// Waits for all children; throws the first error. Cancelled itself, it cancels the children,
  /// waits for them, and throws weft::cancelled.
  void join();

  /// Asks all children, and what the scope's own fiber waits for inside it, to give up; join() then
  /// returns as if they had ended. Any thread.
  void cancel(cancel_reason reason = cancel_reason::requested) noexcept;

 private:
  /// While it lives, the scope waits for it.
  class membership {
   public:
    explicit membership(scope& joined) noexcept : of_(&joined) { of_->running_.add(); }
    membership(membership&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    ~membership() {
      if (of_ != nullptr) of_->running_.done();
    }
    scope& of() const noexcept { return *of_; }

   private:
    scope* of_;
  };

  template <typename Function>
  struct child : detail::hears_of_no_start {
    membership in;  // before the function, so that it ends after it, also where the function never ran
    Function function;

    void operator()() {
      try {
        std::invoke(function);
      } catch (...) {
        in.of().child_failed(std::current_exception());
      }
    }
    void not_started(std::exception_ptr why) noexcept { in.of().child_failed(std::move(why)); }
  };
  void child_failed(std::exception_ptr error) noexcept;

  cancel_scope cancel_;
  wait_group running_;
  detail::spin_lock lock_;
  std::exception_ptr first_error_;  // guarded by lock_
  bool cancelled_here_ = false;     // guarded by lock_
};

}  // namespace weft
