#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/fiber/fiber.hpp>

namespace weft::inline v1 {

class scope;

namespace detail {

/// What a scope knows of a child of any type. The scope is told of a failure as soon as the child's
/// function has thrown, and by fiber_watcher when nothing of the child is left.
class scope_child : public fiber_block {
 public:
  /// Waits until the child has ended. Cancelled because the scope failed, on the scope's own fiber, it
  /// throws what the scope failed with.
  void wait_over();
  /// What the function threw.
  virtual std::exception_ptr failure() const noexcept = 0;

 protected:
  scope_child(fiber_origin& origin, scope& of) : fiber_block(origin), of_(of) { watch(); }
  ~scope_child() override = default;
  /// The function is over, or will not be run.
  void function_over() noexcept;
  /// Is its error the affair of the handle, not of the scope?
  bool error_is_handles() const noexcept { return error_is_handles_; }

 private:
  friend class weft::scope;
  friend class failed_line;
  void watch() noexcept;

  scope& of_;                             // lives until it was told that the child is over
  scope_child* next_failed_ = nullptr;    // guarded by the scope's lock
  weft::context failed_in_;               // of a child in the line of the failed ones
  bool error_is_handles_ = false;         // written before the child is done
  bool is_outsider_ = false;              // guarded by the scope's lock
  scope_child* next_outsider_ = nullptr;  // guarded by the scope's lock
  scope_child* previous_outsider_ = nullptr;
};

/// Children that failed, oldest first; each counted as a reference.
class failed_line {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  void push_back(scope_child& one) noexcept {
    one.next_failed_ = nullptr;
    (last_ != nullptr ? last_->next_failed_ : first_) = &one;
    last_ = &one;
  }
  scope_child* pop_front() noexcept {
    scope_child* const one = first_;
    if (one == nullptr) return nullptr;
    first_ = one->next_failed_;
    if (first_ == nullptr) last_ = nullptr;
    return one;
  }

 private:
  scope_child* first_ = nullptr;
  scope_child* last_ = nullptr;
};

template <typename Value, typename Function>
class child_body final : public fiber_result<Value, scope_child> {
 public:
  template <typename From>
  child_body(fiber_origin& origin, scope& of, From&& function)
      : fiber_result<Value, scope_child>(origin, of),
        function_(std::in_place, std::forward<From>(function)) {}

  static void* operator new(std::size_t bytes) { return allocate_fiber(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept { free_fiber(memory, bytes); }
  static void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return ::operator new(bytes, alignment);
  }
  static void operator delete(void* memory, std::align_val_t alignment) noexcept {
    ::operator delete(memory, alignment);
  }

  std::exception_ptr failure() const noexcept override {
    return this->outcome_ ? this->outcome_->error() : nullptr;
  }

 private:
  // What the scope hears of is never an uncaught error.
  std::exception_ptr body_error() const noexcept override {
    return this->error_is_handles() ? failure() : nullptr;
  }
  void run_body() noexcept override {
    this->outcome_.emplace(result<Value>::of([this]() -> Value { return std::invoke(*function_); }));
    this->function_over();
    function_.reset();
  }
  void fail_unstarted(std::exception_ptr why) noexcept override {
    this->outcome_.emplace(std::move(why));
    this->function_over();
    function_.reset();
  }
  void destroy() noexcept override { delete this; }

  std::optional<Function> function_;
};

}  // namespace detail

/// A handle to one child of a scope: its result, and the means to give it up.
///
/// Move-only; from any fiber or thread. It may outlive the scope, in which the child has ended then;
/// dropping it drops the child's result, not its error, which is the scope's (or, with
/// child_errors::to_handles, goes to the uncaught handler).
template <typename Value>
class child {
 public:
  child() noexcept = default;
  child(child&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  child& operator=(child&& other) noexcept {
    if (this != &other) {
      drop();
      block_ = std::exchange(other.block_, nullptr);
    }
    return *this;
  }
  ~child() { drop(); }

  /// Waits for the end of the child; gives its value or throws what it ended with: of a child that
  /// was asked to give up, weft::cancelled. Where the scope fails meanwhile, it throws what the scope
  /// failed with, on the scope's own fiber. Once; the handle is empty then. Never waits after scope::join.
  Value join() {
    require();
    block_->wait_over();
    return take().value();
  }
  /// As join(), but waits at most `bound`; timed_out leaves the handle as it was.
  template <typename Rep, typename Period>
  waited<Value> join_for(std::chrono::duration<Rep, Period> bound) {
    require();
    if (!block_->wait_done(deadline_after(bound))) return waited<Value>::timed_out();
    if constexpr (std::is_void_v<Value>) {
      take().value();
      return waited<Value>({});
    } else {
      return waited<Value>(take().value());
    }
  }
  /// As join(), but gives an error of the child as a value.
  result<Value> join_result() {
    require();
    block_->wait_over();
    return take();
  }

  /// Asks this child alone, and what it started, to give up. That is no failure of the scope.
  void cancel(cancel_reason reason = cancel_reason::requested) noexcept {
    if (block_ != nullptr) block_->cancel(reason);
  }
  bool joinable() const noexcept { return block_ != nullptr; }
  bool done() const noexcept { return block_ != nullptr && block_->is_done(); }
  std::uint64_t id() const noexcept { return block_ == nullptr ? 0 : block_->id(); }
  std::string_view name() const noexcept { return block_ == nullptr ? std::string_view() : block_->name(); }

 private:
  friend class scope;
  explicit child(detail::fiber_result<Value, detail::scope_child>* block_ref) noexcept : block_(block_ref) {}
  void require() const {
    if (block_ == nullptr) detail::throw_not_joinable();
  }
  result<Value> take() noexcept {
    auto* const over = std::exchange(block_, nullptr);
    result<Value> outcome = over->take();
    over->release();
    return outcome;
  }
  void drop() noexcept {
    if (block_ == nullptr) return;
    auto* const gone = std::exchange(block_, nullptr);
    gone->abandon();
    gone->release();
  }

  detail::fiber_result<Value, detail::scope_child>* block_ = nullptr;
};

}  // namespace weft::inline v1
