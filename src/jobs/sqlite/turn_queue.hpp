#pragma once

#include <exception>
#include <functional>
#include <span>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/context/wait.hpp>

// How callers meet the writer thread.
//
// A caller puts a request, which lives on its own stack, into the queue and parks. The writer takes
// all requests that wait, applies them, marks them finished and wakes their callers. lock_ guards the
// queue, the state of every request and both lines. A request is queued, then taken, then finished:
// the caller may withdraw it while it is queued (cancellation), and must stay while it is taken.
// No wakeup is lost: the writer marks and wakes under lock_, and a caller looks and parks under it.

namespace weft::jobs::sqlite {

/// What the writer applies together, in this order, within one transaction.
enum class request_kind : unsigned char {
  read,    ///< outside of the transaction, before it
  finish,  ///< ends of attempts, heartbeats
  push,    ///< pushes and the users' transactions
  claim,   ///< may be skipped by `idle`
};

struct request {
  request_kind kind = request_kind::read;
  bool durable = false;  ///< the transaction waits for the disk
  bool once = false;     ///< runs code of the user, so it is never applied a second time
  /// On the writer thread; throws to undo itself. Where one of its turn fails all are applied a second time,
  /// so it has to begin anew with what it gives.
  std::function<void()> apply;
  std::function<bool()> idle;  ///< for claims: true if there is nothing to do, asked without the write lock
  std::exception_ptr error;    ///< what the caller gets

 private:
  friend class turn_queue;
  enum class step : unsigned char { queued, taken, finished };
  step step_ = step::queued;  // guarded by turn_queue::lock_
  request* next_ = nullptr;   // guarded by turn_queue::lock_
  weft::detail::waiter caller_;
};

class turn_queue {
 public:
  /// The caller's side: queues the request, waits until it is finished, throws its error. Throws
  /// weft::cancelled if it was withdrawn, weft::error (closed) once the store is closing.
  void ask(request& asked);

  /// The writer's side: waits until there is a request or `until` has passed. False: closed and empty.
  bool wait(weft::steady_time until);
  /// Takes what waits into `taken`, as far as its capacity reaches, in the order of their kinds.
  void take(std::vector<request*>& taken);
  /// Hands a taken request back to its caller.
  void finish(request& done) {
    request* const one = &done;
    finish(std::span(&one, 1));
  }
  /// The same for several.
  void finish(std::span<request* const> done);
  /// Refuses further requests; those that wait are still served.
  void close();
  /// Wakes the writer although there is no request.
  void nudge();

 private:
  void enqueue(request& asked) noexcept;
  void withdraw(request& asked) noexcept;

  weft::detail::spin_lock lock_;
  request* first_ = nullptr;           // guarded by lock_; the queue, linked by next_
  request* last_ = nullptr;            // guarded by lock_
  weft::detail::waiter_line callers_;  // guarded by lock_
  weft::detail::waiter_line writer_;   // guarded by lock_
  bool closed_ = false;                // guarded by lock_
  bool nudged_ = false;                // guarded by lock_
};

}  // namespace weft::jobs::sqlite
