#pragma once

#include <mutex>

#include <weft/context/wait.hpp>
#include <weft/core/atomic.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/spin_lock.hpp>

namespace weft::inline v1::detail {

/// Where a fiber that ends meets who waits for that, and where it is settled who speaks of its error.
///
/// Three marks, each set once and never taken back: done by the fiber when its outcome is there; abandoned
/// by who lets go of the handle; observed by who takes the outcome or will. Of done and abandoned, the one
/// who sets the second reports an error that nobody observed; so it is reported once or not at all.
///
/// A joiner waits as everybody does (context/wait.hpp): done is set under lock_, and all who are in line then
/// are served under that same lock; who joins the line has looked at done under it. So none is lost and none
/// served twice; one whose bound passes, or who is cancelled, takes itself out of the line under the lock.
/// Who sees done without the lock goes on only when it is free: then the fiber has left the join point.
/// The fiber's own reference lasts longer than its visit here, the joiner's longer than his.
class join_point {
 public:
  /// The outcome may be read.
  bool is_done() const noexcept { return (marks() & done_bit) != 0; }
  /// As is_done(), and the fiber will not come here again.
  bool is_over() const noexcept { return is_done() && lock_.is_free(); }
  bool is_observed() const noexcept { return (marks() & observed_bit) != 0; }

  /// Waits until the fiber is done and has left. False: `until` passed. Throws weft::cancelled.
  bool wait(steady_time until);

  /// The outcome is there; once, by the fiber. `tell(wake)` must call wake(), which wakes all joiners. True:
  /// the caller reports an error, if there is one.
  template <typename Tell>
  bool end(Tell&& tell) noexcept {
    unsigned char before = 0;
    {
      const std::lock_guard lock(lock_);
      before = marks_.fetch_or(done_bit, std::memory_order_acq_rel);
      tell([this] { joiners_.serve_all(); });
    }
    return (before & (abandoned_bit | observed_bit)) == abandoned_bit;
  }
  /// Nobody will look at the outcome; once, by who has the handle. True: the caller reports an error, if
  /// there is one.
  bool abandon() noexcept {
    const unsigned char before = marks_.fetch_or(abandoned_bit, std::memory_order_acq_rel);
    return (before & (done_bit | observed_bit)) == done_bit;
  }
  /// Somebody looks at the outcome, now or later: an error of it is not uncaught.
  void mark_observed() noexcept { marks_.fetch_or(observed_bit, std::memory_order_relaxed); }

 private:
  friend class fiber_case;
  static constexpr unsigned char done_bit = 1;
  static constexpr unsigned char abandoned_bit = 2;
  static constexpr unsigned char observed_bit = 4;
  unsigned char marks() const noexcept { return marks_.load(std::memory_order_acquire); }

  [[no_unique_address]] waiter_line joiners_;  // guarded by lock_; its last bytes are room for the others
  spin_lock lock_;
  atomic<unsigned char> marks_{0};
};

}  // namespace weft::inline v1::detail
