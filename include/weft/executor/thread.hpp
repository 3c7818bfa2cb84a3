#pragma once

#include <chrono>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/executor/executor.hpp>

namespace weft::inline v1 {

/// How a thread is made.
struct thread_options {
  std::string name = "thread";        ///< for people; the kernel shows 15 bytes
  uncaught_handler on_uncaught = {};  ///< of its function, instead of the handler of the process
};

namespace detail {
class thread_core;
}

/// A thread of its own for one function: what a std::thread is, with what belongs to the work.
///
/// The function runs in the context of where the thread was made: values, deadline and cancellation. What it
/// throws goes to the uncaught handler, once, in its context. Choose it for a loop that lives as long as the
/// program part around it; for pieces of work a pool is cheaper and has a bound.
///
/// The destructor waits for the end; cancel() first where the function would not end by itself. Movable; one
/// task at a time uses a handle.
class thread {
 public:
  thread() noexcept;
  /// Starts `work`. Throws weft::error if the system gives no thread.
  template <typename Work>
    requires std::is_invocable_v<std::decay_t<Work>&>
  explicit thread(Work&& work, thread_options options = {},
                  std::source_location from = std::source_location::current())
      : thread(unique_function<void()>(std::forward<Work>(work)), std::move(options), from, start_tag()) {}
  thread(thread&& other) noexcept;
  thread& operator=(thread&& other) noexcept;
  ~thread();

  bool joinable() const noexcept { return core_ != nullptr; }
  /// Waits for the end; the handle is empty then. The fiber waits, a plain thread blocks. A cancellation
  /// point, which leaves the handle as it is. Throws weft::error (deadlock) on the thread itself.
  void join();
  /// False when the bound passed first; the handle is as it was then.
  template <typename Rep, typename Period>
  bool join_for(std::chrono::duration<Rep, Period> bound) {
    return join_until(deadline_after(bound));
  }
  bool join_until(steady_time until);
  /// Asks the function to give up. Never waits.
  void cancel(cancel_reason reason = cancel_reason::requested) noexcept;
  std::string_view name() const noexcept;

 private:
  friend class executor_factory;
  struct start_tag {};
  thread(unique_function<void()> work, thread_options options, std::source_location from, start_tag);
  std::shared_ptr<detail::thread_core> core_;
};

}  // namespace weft::inline v1
