#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include <weft/core/atomic.hpp>
#include <weft/core/clock.hpp>

#include "fiber/fiber_line.hpp"
#include "fiber/idle_loops.hpp"

namespace weft::inline v1::detail {

/// How the loops of a run share the fibers that have not started.
///
/// A loop that adds one while another loop sleeps rouses one sleeper to look for work, unless one is
/// looking already (searching_). A searcher takes half of what another loop has in line; where only one fiber
/// waits there, its own loop is about to run it, so it is taken only if that loop has not switched for a
/// while. A searcher clears searching_ first and then looks once more: either it sees the new fiber, or
/// who added it sees that nobody searches. A loop that was roused to search and finds work of its own
/// lets another one search. What a loop has taken is in nobody's line for a moment, when others may lie down
/// without having seen it; so whoever took more than it can start at once offers the rest anew. Looking is
/// bounded (spin_max), then it sleeps.
///
/// `Loop` has what idle_loops wants, and index(), unstarted(), adopt(), switches() and seen_switches().
template <typename Loop>
class work_search {
 public:
  /// Both outlive this.
  work_search(const std::vector<Loop*>& loops, idle_loops<Loop>& idle) noexcept
      : loops_(loops), idle_(idle) {}

  /// A fiber that others may take was added.
  void offer() noexcept {
    if (loops_.size() == 1) return;
    // Read-modify-writes: who lies down or clears searching_ after us sees the fiber in line.
    if (!idle_.any_after_writes()) return;
    if (searching_.exchange(true, std::memory_order_acq_rel)) return;
    for (Loop* const loop : loops_) {
      if (idle_.rouse_to_search(*loop)) return;
    }
    searching_.exchange(false, std::memory_order_acq_rel);
  }

  /// Looks for fibers that `loop` could run; bounded. Its own thread.
  bool find_work(Loop& loop) noexcept {
    if (loops_.size() == 1) return false;
    bool found = steal_for(loop, false);
    if (!found && idle_.count() + 1 < loops_.size()) found = look_for_a_while(loop);
    const bool searched = loop.idle().take_search();
    if (searched) found = end_search(loop, found);
    if (found && (loop.unstarted().size() > 1 || (searched && others_have_work(loop)))) offer();
    return found;
  }

  /// `loop` has work of its own: if it was roused to search, another one shall look. Its own thread.
  void pass_on(Loop& loop) noexcept {
    if (!loop.idle().take_search()) return;
    end_search(loop, true);
    if (loop.unstarted().size() > 1 || others_have_work(loop)) offer();
  }

  /// As idle_loops::lie_down(). While others have fibers in line that are not worth a search, it sleeps for a
  /// short time only.
  template <typename Decide>
  loop_rest lie_down(Loop& loop, Decide&& all_sleep) {
    loop_rest rest = idle_.lie_down(loop, all_sleep);
    if (rest.allowed && others_have_work(loop)) {
      rest.until = std::min(rest.until, steady_clock::now() + look_again_soon);
    }
    return rest;
  }

  /// Does another loop have a fiber that waits to be started?
  bool others_have_work(const Loop& loop) const noexcept {
    return std::any_of(loops_.begin(), loops_.end(),
                       [&](Loop* other) { return other != &loop && other->unstarted().size() > 0; });
  }

 private:
  static constexpr std::size_t stolen_max = 256;  // at a time
  static constexpr auto spin_max = std::chrono::microseconds(20);
  static constexpr auto look_again_soon = std::chrono::milliseconds(1);

  /// Nobody searches from here on; then it looks once more.
  bool end_search(Loop& loop, bool found) noexcept {
    searching_.exchange(false, std::memory_order_acq_rel);
    return found || steal_for(loop, false);
  }

  bool look_for_a_while(Loop& loop) noexcept {
    for (Loop* const other : loops_) loop.seen_switches()[other->index()] = other->switches();
    const steady_time until = steady_clock::now() + spin_max;
    bool found = false;
    do {
      for (int i = 0; i < 32; ++i) relax();
      found = loop.has_remote_wakes() || idle_.over() || steal_for(loop, false);
    } while (!found && steady_clock::now() < until);
    return found || steal_for(loop, true);
  }

  bool steal_for(Loop& thief, bool lonely_too) noexcept {
    for (std::size_t step = 1; step < loops_.size(); ++step) {
      Loop& victim = *loops_[(thief.index() + step) % loops_.size()];
      const std::size_t there = victim.unstarted().size();
      if (there == 0) continue;
      if (there == 1 && !(lonely_too && victim.switches() == thief.seen_switches()[victim.index()])) continue;
      typename Loop::line stolen;
      if (victim.unstarted().steal(stolen, std::min((there + 1) / 2, stolen_max), &thief) == 0) continue;
      thief.adopt(stolen);
      return true;
    }
    return false;
  }

  static void relax() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  const std::vector<Loop*>& loops_;
  idle_loops<Loop>& idle_;
  atomic<bool> searching_{false};
};

}  // namespace weft::inline v1::detail
