#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

// Runs a small program of a few threads through every order of its atomic operations.
//
// The threads are real ones in lock step: one runs, until its next operation on an explored_atomic or
// until it blocks; then the explorer picks who goes on. The picks of one execution are a path in a tree,
// and executions follow one another depth first until the tree has been walked. The tree is cut at a
// number of preemptions (a thread that could go on must stand back for another one), as CHESS does:
// most mistakes show with one or two.
//
// It finds: broken invariants, exceptions, deadlocks and lost wake-ups (all threads blocked), endless
// spinning. It does not find what only weak memory order or a race on plain fields shows: operations
// happen one after the other, in the order of the program. For those there is the thread sanitizer.

namespace explore {

struct options {
  int preemptions_max = 2;
  std::size_t executions_max = 2'000'000;
  std::size_t steps_max = 2'000;  ///< of one execution; above, it counts as endless
};

struct outcome {
  std::size_t executions = 0;
  bool complete = false;  ///< all orders within the bounds were run
  std::string failure;    ///< empty: none; else what was wrong, and who did what until then
};

/// One execution in the making: told its threads, and what must hold when they have ended.
class execution {
 public:
  void thread(std::function<void()> function);
  void at_end(std::function<void()> check);

 private:
  friend class explorer;
  std::vector<std::function<void()>> threads_;
  std::function<void()> at_end_;
};

/// `program` makes a fresh state and threads for it; called for each execution, and must do the same
/// each time. Stops at the first failure; the threads of that execution are left where they are.
outcome all_orders(const std::function<void(execution&)>& program, options bounds = {});

// For programs, on a thread of an execution, and for what they are made of.

/// What must hold. In at_end() as well.
void check(bool holds, const char* what);
/// Another thread may go on here. `what` is a literal for the report.
void point(const char* what);
/// A thread more, which may go on from here. In the order of the program, as all else.
void start(std::function<void()> function);
/// Goes on only once `can_go_on`, which must not call anything here, gives true.
void block_until(std::function<bool()> can_go_on, const char* what);
/// Goes on at some time, or when the others cannot: a wait with a bound.
void stand_back(const char* what);
/// As block_until, with a bound: goes on also when nobody else can, or earlier at the price of a preemption.
void wait_bounded(std::function<bool()> can_go_on, const char* what);
/// One of `count` ways, each of which is tried; counts as a preemption unless it is the first.
std::size_t choose(std::size_t count);
/// Tells that something was written, so that who spins may look again.
void wrote();
/// Who is running: 0, 1, ...
std::size_t thread_index();

}  // namespace explore
