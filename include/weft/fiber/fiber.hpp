#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <new>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/core/result.hpp>
#include <weft/fiber/fiber_block.hpp>

namespace weft::inline v1 {

/// How a fiber is made.
struct go_options {
  std::string name = {};                      ///< for people; empty: none
  std::size_t stack_bytes = 0;                ///< address space of its stack; 0: run_options::stack_bytes
  bool preemptible = true;                    ///< false: compiler-inserted safepoints do not switch it
  std::optional<weft::context> context = {};  ///< runs in this one instead of the caller's
};

namespace detail {

/// A fiber with its outcome. `Block` is fiber_block, or derived from it.
template <typename Value, typename Block = fiber_block>
class fiber_result : public Block {
 public:
  using Block::Block;
  /// The outcome; the fiber is done.
  result<Value> take() noexcept {
    this->mark_observed();
    return std::move(*outcome_);
  }

 protected:
  std::exception_ptr body_error() const noexcept override { return outcome_ ? outcome_->error() : nullptr; }
  void fail_unstarted(std::exception_ptr why) noexcept override { outcome_.emplace(std::move(why)); }
  std::optional<result<Value>> outcome_;
};

template <typename Value, typename Function>
class fiber_body final : public fiber_result<Value> {
 public:
  template <typename From>
  fiber_body(fiber_origin& origin, From&& function)
      : fiber_result<Value>(origin), function_(std::in_place, std::forward<From>(function)) {}

  static void* operator new(std::size_t bytes) { return allocate_fiber(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept { free_fiber(memory, bytes); }
  static void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return ::operator new(bytes, alignment);
  }
  static void operator delete(void* memory, std::align_val_t alignment) noexcept {
    ::operator delete(memory, alignment);
  }

 private:
  void run_body() noexcept override {
    this->outcome_.emplace(result<Value>::of([this]() -> Value { return std::invoke(*function_); }));
    function_.reset();
  }
  void fail_unstarted(std::exception_ptr why) noexcept override {
    function_.reset();
    fiber_result<Value>::fail_unstarted(std::move(why));
  }
  void destroy() noexcept override { delete this; }

  std::optional<Function> function_;
};

[[noreturn]] void throw_not_joinable();

template <typename Function>
auto make_fiber(fiber_origin origin, Function&& function, void (*spawn)(fiber_block*));
template <typename Value, typename Then>
class on_done_case;

/// As `options` say; hands out the context in it.
inline fiber_origin origin_of(go_options& options, std::source_location from) noexcept {
  return {options.context ? std::move(*options.context) : weft::context::capture(), options.name,
          options.stack_bytes, from, options.preemptible};
}
inline fiber_origin origin_here(std::source_location from) noexcept {
  return {.context = weft::context::capture(), .made_at = from};
}

}  // namespace detail

/// A handle to a running function: its result, its error, and the means to give it up.
///
/// Move-only. join() may be called once, from any fiber or thread. Dropping the handle detaches the
/// fiber: it goes on, still belongs to its run, and an error it ends with goes to the uncaught handler.
template <typename Value>
class fiber {
 public:
  fiber() noexcept = default;
  fiber(fiber&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  fiber& operator=(fiber&& other) noexcept {
    if (this != &other) {
      detach();
      block_ = std::exchange(other.block_, nullptr);
    }
    return *this;
  }
  ~fiber() { detach(); }

  /// Waits for the end; gives the value or throws what the fiber ended with. The handle is empty then.
  /// A cancelled wait leaves the handle as it was.
  Value join() {
    require();
    block_->wait_done(no_deadline);
    return take().value();
  }

  /// As join(), but waits at most `bound`; timed_out leaves the handle as it was.
  template <typename Rep, typename Period>
  waited<Value> join_for(std::chrono::duration<Rep, Period> bound) {
    require();
    if (!block_->wait_done(deadline_after(bound))) return waited<Value>::timed_out();
    if constexpr (std::is_void_v<Value>) {
      take().value();
      return waited<Value>(typename waited<Value>::stored_type());
    } else {
      return waited<Value>(take().value());
    }
  }

  /// Asks the fiber and everything it started to give up. Sticky; never waits; harmless when it is over.
  void cancel(cancel_reason reason = cancel_reason::requested) noexcept {
    if (block_ != nullptr) block_->cancel(reason);
  }

  /// Lets it go on by itself.
  void detach() noexcept {
    if (block_ == nullptr) return;
    auto* const gone = std::exchange(block_, nullptr);
    gone->abandon();
    gone->release();
  }

  bool joinable() const noexcept { return block_ != nullptr; }
  /// Has it ended? Its result is there then.
  bool done() const noexcept { return block_ != nullptr && block_->is_done(); }
  /// Unique in the process, never reused; 0 for an empty handle.
  std::uint64_t id() const noexcept { return block_ == nullptr ? 0 : block_->id(); }
  /// The id of the task that made it.
  std::uint64_t parent_id() const noexcept { return block_ == nullptr ? 0 : block_->parent_id(); }
  std::string_view name() const noexcept { return block_ == nullptr ? std::string_view() : block_->name(); }
  /// Since it was made; of one that has ended, its whole life. To one turn of its loop.
  steady_clock::duration elapsed() const noexcept {
    return block_ == nullptr ? steady_clock::duration::zero() : block_->elapsed();
  }

 private:
  template <typename Function>
  friend auto detail::make_fiber(detail::fiber_origin origin, Function&& function,
                                 void (*spawn)(detail::fiber_block*));

  template <typename, typename>
  friend class detail::on_done_case;

  explicit fiber(detail::fiber_result<Value>* block_ref) noexcept : block_(block_ref) {}
  void require() const {
    if (block_ == nullptr) detail::throw_not_joinable();
  }
  result<Value> take() noexcept {
    auto* const over = std::exchange(block_, nullptr);
    result<Value> outcome = over->take();
    over->release();
    return outcome;
  }

  detail::fiber_result<Value>* block_ = nullptr;
};

namespace detail {

template <typename Function>
auto make_fiber(fiber_origin origin, Function&& function, void (*spawn)(fiber_block*)) {
  using held = std::decay_t<Function>;
  using value = std::invoke_result_t<held&>;
  auto* const block = new fiber_body<value, held>(origin, std::forward<Function>(function));
  fiber<value> handle(block);
  spawn(block);
  return handle;
}

}  // namespace detail

/// Runs `function` on a fiber of its own: queued, behind what is ready now. It takes the caller's
/// context along. It starts on this thread, or on another one of the run that has nothing to do, and
/// then stays there. Throws weft::error: no_scheduler outside weft::run, resource_exhausted at
/// max_fibers.
///
/// `from`, filled in by the compiler, is the place that dumps and reports show for the fiber.
/// References that the function captures must outlive the fiber: join it, or use a scope. In CMake,
/// weft_check_captures(target) looks for places where nobody joins.
template <typename Function>
auto go(Function&& function, std::source_location from = std::source_location::current()) {
  return detail::make_fiber(detail::origin_here(from), std::forward<Function>(function), detail::spawn);
}
template <typename Function>
auto go(Function&& function, go_options options,
        std::source_location from = std::source_location::current()) {
  return detail::make_fiber(detail::origin_of(options, from), std::forward<Function>(function),
                            detail::spawn);
}

/// As go, but runs the fiber at once, until its first wait; then the caller goes on. Throws weft::error
/// (misuse) inside a no_wait_scope.
template <typename Function>
auto go_now(Function&& function, std::source_location from = std::source_location::current()) {
  return detail::make_fiber(detail::origin_here(from), std::forward<Function>(function), detail::spawn_now);
}
template <typename Function>
auto go_now(Function&& function, go_options options,
            std::source_location from = std::source_location::current()) {
  return detail::make_fiber(detail::origin_of(options, from), std::forward<Function>(function),
                            detail::spawn_now);
}

/// Lets everything that is ready now run before the caller goes on. A cancellation point.
void yield();
/// Waits for a time, or until a point of the monotonic clock; ticks are milliseconds, rounded up.
/// A cancellation point. On a plain thread it blocks the thread.
void sleep_until(steady_time until);
template <typename Rep, typename Period>
void sleep_for(std::chrono::duration<Rep, Period> time) {
  sleep_until(deadline_after(time));
}

/// The running fiber.
namespace this_fiber {
/// Is the caller on a fiber?
bool in_fiber() noexcept;
/// Its id; on a plain thread that of the thread's task block.
std::uint64_t id() noexcept;
/// The id of the task that made it, or armed the timer whose tick it is; 0 on a plain thread.
std::uint64_t parent_id() noexcept;
std::string_view name() noexcept;
}  // namespace this_fiber

}  // namespace weft::inline v1
