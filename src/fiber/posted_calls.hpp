#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include <weft/core/atomic.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/core/unique_function.hpp>

namespace weft::inline v1::detail {

/// What other threads want called on one loop.
///
/// The mark says that there are calls. Who posts sets it after the call is there; the loop clears it before
/// it takes the calls. So a call that comes meanwhile is taken now, or is marked.
class posted_calls {
 public:
  /// Adds `call` and has `rouse()` wake the loop. Under the lock to the end: the call may end the run with
  /// all of this, and is not taken before we let go of it. Any thread.
  template <typename Rouse>
  void post(unique_function<void()> call, Rouse&& rouse) {
    const std::lock_guard lock(lock_);
    calls_.push_back(std::move(call));
    any_.store(true, std::memory_order_seq_cst);
    rouse();
  }

  /// In one total order with the flags of the loops' sleep. Any thread.
  bool any() const noexcept { return any_.load(std::memory_order_seq_cst); }

  /// Calls all that are there, in the order in which they came. The loop's thread.
  void run_all() {
    if (!any_.load(std::memory_order_relaxed)) return;
    any_.store(false, std::memory_order_seq_cst);
    std::vector<unique_function<void()>> calls;
    {
      const std::lock_guard lock(lock_);
      calls.swap(calls_);
    }
    for (auto& call : calls) call();
  }

 private:
  spin_lock lock_;
  std::vector<unique_function<void()>> calls_;  // guarded by lock_
  atomic<bool> any_{false};
};

}  // namespace weft::inline v1::detail
