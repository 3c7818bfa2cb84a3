#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include <weft/context/wait.hpp>

// How a select waits for several things at once. For people who build their own primitives; users read
// weft/fiber/select.hpp.
//
// The protocol. A select owns one ticket, and one waiter for each of its cases; all waiters carry the ticket.
//
// 1. It looks at its cases without a lock and draws one of those that seem ready; that one it tries under
//    its lock. A guess that was wrong costs another look. Most selects end here.
// 2. If none seems ready, it takes the locks of all its cases, in the order of their addresses, each once. It
//    looks again, and if still none is ready it puts its waiters into all lines, then gives the locks back.
//    So no moment passes between the last look and the first place in a line: no wake is lost.
// 3. It parks until the ticket is claimed, a bound passes, or it must give up.
// 4. Who serves a line claims the ticket, under that line's lock, before he hands over anything: the first
//    claim holds, and who fails drops the waiter from the line and goes on to the next one. The select claims
//    the ticket itself to end by a bound or a cancellation; where it comes too late, it was served. So a
//    case is served exactly once or not at all, and a value goes to one receiver.
// 5. Before the select returns it takes the lock of each case once more and leaves the line if it is still in
//    it. A server touches a waiter and its ticket only under the lock of the line in which he found it, so
//    afterwards nobody touches the frame; and what the winning server wrote is seen.
//
// Two selects that meet (one pushes, one pops, no buffer) need no second claim: the one that looks holds its
// locks and is in no line, so nobody can serve it, and it claims only the ticket of the other. That is why
// step 2 takes all locks at once: with one lock at a time, both would stand in lines while they look, each
// would have to hold its own ticket undecided while it tries the other's, and somebody would have to
// wait for somebody. The order of the addresses keeps two selects over the same locks from a deadlock; the
// locks of cases are never taken together by anybody else, nor while one of them is held.

namespace weft::inline v1::detail {

/// One alternative of a select; belongs to the selecting task, at one address while it waits.
/// Primitives derive from it.
class select_case {
 public:
  select_case& operator=(const select_case&) = delete;

  /// Could try_now() succeed? Called with and without the lock; without it the answer is a guess.
  virtual bool seems_ready() const noexcept = 0;
  /// Does it, if it can be done without waiting. Called under the lock.
  virtual bool try_now() noexcept = 0;

  bool is_timer() const noexcept { return line_ == nullptr; }
  bool enabled() const noexcept { return enabled_; }
  /// Only between two selects.
  void enable(bool yes) noexcept { enabled_ = yes; }

 protected:
  /// A place in `line`, which `lock` guards; both outlive the select. Null and null: a timer.
  select_case(spin_lock* lock, waiter_line* line) noexcept : lock_(lock), line_(line) {}
  /// Only between two selects.
  select_case(select_case&& other) noexcept
      : lock_(other.lock_), line_(other.line_), due_(other.due_), enabled_(other.enabled_) {}
  virtual ~select_case() = default;

  /// When a timer is due; set before each select.
  void set_due(steady_time due) noexcept { due_ = due; }
  steady_time due() const noexcept { return due_; }
  /// What is handed over through; set before each select.
  void set_slot(void* slot) noexcept { self_.slot = slot; }
  void* slot() const noexcept { return self_.slot; }

 private:
  friend class select_round;
  spin_lock* lock_;
  waiter_line* line_;
  steady_time due_ = no_deadline;
  bool enabled_ = true;
  waiter self_;
};

/// Does one of the cases that are ready now, drawn at random; nothing if none is. Never waits.
std::optional<std::size_t> select_now(std::span<select_case* const> cases);

/// Waits until one of the cases is done, at most until `until`; gives its index, nothing when `until` passed.
/// Of several that are ready it draws one. Throws weft::cancelled, and weft::error (misuse) where no case is
/// enabled and there is no bound, or inside a no_wait_scope.
std::optional<std::size_t> select_among(std::span<select_case* const> cases, steady_time until);

}  // namespace weft::inline v1::detail
