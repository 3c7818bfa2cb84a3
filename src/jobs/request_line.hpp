#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <span>
#include <vector>

#include <weft/context/wait.hpp>

#include "jobs/forked_store_check.hpp"

// How callers meet those who serve them in batches.
//
// A caller puts a request, which lives on its own stack, into the line and parks. A server takes all
// requests that wait, does them, marks them finished and wakes their callers. lock_ guards the line, the
// state of every request and both sides' waits. A request is queued, then taken, then finished: the caller
// may withdraw it while it is queued (cancellation), and must stay while it is taken. No wakeup is lost: a
// server marks and wakes under lock_, and a caller looks and parks under it.

namespace weft::inline v1::jobs {

/// What a caller waits for; a base of what it asks.
class parked_request {
 public:
  std::exception_ptr error;  ///< what the caller gets, set by who serves it

 private:
  friend class request_line_base;
  enum class step : unsigned char { queued, taken, finished };
  step step_ = step::queued;        // guarded by request_line_base::lock_
  parked_request* next_ = nullptr;  // guarded by request_line_base::lock_
  weft::detail::waiter caller_;
};

/// What all lines share; see request_line.
class request_line_base {
 public:
  /// The server's side: waits until there is a request, `until` has passed, or it was nudged. False: closed
  /// and empty. Never cancelled.
  bool wait(weft::steady_time until);
  /// Refuses further requests; those that wait are still served.
  void close();
  /// Refuses further requests, and those that wait, with `why`. Those that are taken are their server's.
  void abandon(const std::exception_ptr& why);
  /// Wakes a server although there is no request.
  void nudge();

 protected:
  static constexpr std::size_t woken_together = 4;  // what late_wakes has room for
  static constexpr std::size_t taken_together = 32;
  request_line_base() = default;
  ~request_line_base() = default;
  void ask_and_park(parked_request& asked);
  void finish_some(std::span<parked_request* const> done);
  /// Takes the oldest, as many as there is place for; gives how many.
  std::size_t take_some(std::span<parked_request*> into);

 private:
  void enqueue(parked_request& asked) noexcept;
  void withdraw(parked_request& asked) noexcept;

  weft::detail::spin_lock lock_;
  parked_request* first_ = nullptr;    // guarded by lock_; the line, linked by next_
  parked_request* last_ = nullptr;     // guarded by lock_
  weft::detail::waiter_line callers_;  // guarded by lock_
  weft::detail::waiter_line servers_;  // guarded by lock_
  const forked_store_check process_;
  bool closed_ = false;  // guarded by lock_
  bool nudged_ = false;  // guarded by lock_
};

/// Requests of callers, served in batches, in order of arrival. `Request` is derived from parked_request.
///
/// Thread-safety: ask() from any fiber or thread; the server's side from any number of tasks.
template <typename Request>
class request_line : public request_line_base {
 public:
  /// The caller's side: queues the request, waits until it is finished, throws its error. Throws
  /// weft::cancelled if it was withdrawn, weft::error (closed) once the line is closed, or (misuse) in a
  /// process that was forked from the one that made it.
  void ask(Request& asked) { ask_and_park(asked); }

  /// Takes what waits into `taken`, as far as its capacity reaches.
  void take(std::vector<Request*>& taken) {
    taken.clear();
    std::array<parked_request*, taken_together> some{};
    std::size_t count = some.size();
    while (count == some.size() && taken.size() < taken.capacity()) {
      count = take_some(std::span(some).first(std::min(some.size(), taken.capacity() - taken.size())));
      for (std::size_t i = 0; i < count; ++i) taken.push_back(static_cast<Request*>(some[i]));
    }
  }
  /// Hands a taken request back to its caller.
  void finish(Request& done) {
    parked_request* const one = &done;
    finish_some(std::span(&one, 1));
  }
  /// The same for several.
  void finish(std::span<Request* const> done) {
    std::array<parked_request*, woken_together> some{};
    while (!done.empty()) {
      std::size_t count = 0;
      for (; count < std::min(done.size(), some.size()); ++count) some[count] = done[count];
      finish_some(std::span(some).first(count));
      done = done.subspan(count);
    }
  }
};

}  // namespace weft::inline v1::jobs
