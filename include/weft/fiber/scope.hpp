#pragma once

#include <exception>
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
  void go(Function&& function, go_options options = {}) {
    running_.add();
    try {
      weft::go(
          [this, held = std::forward<Function>(function)]() mutable {
            const done_guard done{*this};
            try {
              held();
            } catch (...) {
              child_failed(std::current_exception());
            }
          },
          std::move(options));
    } catch (...) {
      running_.done();
      throw;
    }
  }

  /// Waits for all children; throws the first error. Cancelled itself, it cancels the children,
  /// waits for them, and throws weft::cancelled.
  void join();

  /// Asks all children, and what the scope's own fiber waits for inside it, to give up; join() then
  /// returns as if they had ended. Any thread.
  void cancel(cancel_reason reason = cancel_reason::requested) noexcept;

 private:
  struct done_guard {
    scope& of;
    ~done_guard() { of.running_.done(); }
  };
  void child_failed(std::exception_ptr error) noexcept;

  cancel_scope cancel_;
  wait_group running_;
  detail::spin_lock lock_;
  std::exception_ptr first_error_;  // guarded by lock_
  bool cancelled_here_ = false;     // guarded by lock_
};

}  // namespace weft
