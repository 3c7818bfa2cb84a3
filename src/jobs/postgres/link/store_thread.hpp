#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/core/outside_work.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/fiber/parker.hpp>

#include "jobs/forked_store_check.hpp"

namespace weft::inline v1::jobs::postgres {

/// The thread on which a store talks to its server: one loop, with a fiber for each thing that is under way.
///
/// Thread-safety: call() and start() from any fiber or thread. stop() and the end are the owner's, outside of
/// the loop.
class store_thread {
 public:
  /// Starts it; `name` is for people, at most 15 bytes.
  explicit store_thread(const std::string& name);
  store_thread(const store_thread&) = delete;
  store_thread& operator=(const store_thread&) = delete;
  /// stop(), where that was not called.
  ~store_thread();

  /// Runs `work` on a fiber of the loop, in the caller's context, and waits until it has ended: the caller's
  /// deadline and cancellation reach what waits there, and end this as they end that. Gives its result, or
  /// throws what it threw. Throws weft::error (closed) after stop(), (misuse) in a forked child.
  template <typename Work>
  auto call(Work&& work) -> std::invoke_result_t<Work&> {
    using value = std::invoke_result_t<Work&>;
    weft::detail::require_wait_allowed("jobs: wait for the store's thread");
    const weft::detail::outside_work it_wakes_us;
    promise<value> outcome;
    auto waiting = outcome.get_future();
    post({"", context::capture(), [&work, outcome = std::move(outcome)]() mutable {
            outcome.set(weft::result<value>::of([&work]() -> value { return std::invoke(work); }));
          }});
    try {
      return weft::detail::get_unbroken(waiting);
    } catch (const broken_promise&) {
      throw_closed();  // it was stopped before the work began
    }
  }

  /// Starts a fiber on the loop that belongs to nobody: without the caller's context. What it throws is
  /// logged. stop() asks it to give up when it has not ended by itself. Throws weft::error (closed) after
  /// stop().
  void start(std::string name, unique_function<void()> work);

  /// Throws weft::error (misuse) in a forked child.
  void require_own() const { process_.require_own(); }

  /// Refuses further work, waits `grace` for what is under way, cancels what is left and waits for that.
  /// Calling it again has no effect.
  void stop(std::chrono::milliseconds grace = std::chrono::seconds(10)) noexcept;

 private:
  struct task {
    std::string name;
    weft::context in;
    unique_function<void()> work;
  };

  [[noreturn]] static void throw_closed();
  void post(task one);
  void run() noexcept;
  void serve();
  void begin(task one);
  void wait_for_rest();
  bool take(std::vector<task>& into);

  const forked_store_check process_;
  std::mutex mutex_;
  std::vector<task> posted_;             // guarded by mutex_
  bool stopping_ = false;                // guarded by mutex_
  std::chrono::milliseconds grace_{0};   // guarded by mutex_
  parker wakes_;                         // the loop's first fiber parks here
  std::size_t under_way_ = 0;            // the loop's
  weft::detail::started_thread thread_;  // last: it uses all of the above
};

}  // namespace weft::inline v1::jobs::postgres
