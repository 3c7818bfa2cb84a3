#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include <weft/core/atomic.hpp>
#include <weft/core/spin_lock.hpp>

#include "fiber/fiber_line.hpp"
#include "fiber/idle_loops.hpp"
#include "fiber/remote_wakes.hpp"
#include "fiber/work_search.hpp"
#include "interleaving/explored_oracle.hpp"
#include "interleaving/explorer.hpp"

// Loops that sleep, those that rouse them, and the fibers that they share: the scheduler's own lines, flags
// and searches, in all orders. A loop of the tests does what scheduler::loop() and scheduler::sleep() do.

namespace weft::detail {
namespace {

template <typename World>
class loop_of;

/// A function instead of a stack; runs each time it has its turn.
template <typename World>
struct fiber_of {
  std::function<void(loop_of<World>&)> body;
  int turns = 0;
  bool in_line = false;

  // As in fiber_block.
  fiber_of* next_ = nullptr;
  fiber_of* previous_ = nullptr;
  std::int64_t turn_ = 0;
  bool is_unstarted_ = false;
  atomic<loop_of<World>*> home_{nullptr};
};

template <typename World>
class loop_of {
 public:
  using fiber = fiber_of<World>;
  using line = line_of<fiber>;

  loop_of(World& of, std::size_t index) : world_(of), index_(index), seen_switches_(World::loops_max) {}

  // What idle_loops and work_search ask for.
  idle_state& idle() noexcept { return idle_; }
  bool has_remote_wakes() const noexcept { return wakes_.any(); }
  bool has_ready() const noexcept { return !ready_.empty() || unstarted_.size() > 0; }
  void ring() noexcept {
    explore::point("ring");
    rung_ = true;
  }
  std::size_t index() const noexcept { return index_; }
  unstarted_line_of<fiber, loop_of>& unstarted() noexcept { return unstarted_; }
  std::uint64_t switches() const noexcept { return switches_; }
  std::vector<std::uint64_t>& seen_switches() noexcept { return seen_switches_; }
  void adopt(line& stolen) noexcept {
    while (fiber* const one = stolen.front()) {
      stolen.remove(*one);
      one->turn_ = ++last_turn_;
      unstarted_.push_back(*one);
    }
  }

  /// A new fiber that others may take; from a fiber of this loop, or before it runs.
  void add(fiber& one) {
    put_in_line(one);
    one.home_.store(this, std::memory_order_relaxed);
    one.turn_ = ++last_turn_;
    unstarted_.push_back(one);
    world_.search.offer();
  }
  /// Makes a fiber that lives here ready.
  void wake(fiber& one, const loop_of* here) {
    put_in_line(one);
    if (here == this) {
      push_ready(one);
      return;
    }
    wakes_.push(one);
    world_.idle.rouse(*this);
  }

  void run() {
    const explored_oracle world;
    while (!world_.idle.over()) {
      wakes_.take_all([this](fiber& one) { push_ready(one); });
      if (has_ready()) world_.search.pass_on(*this);
      while (fiber* const next = next_in_line()) {
        ++switches_;
        explore::check(next->in_line, "a fiber has two turns at once");
        next->in_line = false;
        ++next->turns;
        next->body(*this);
      }
      if (!world_.search.find_work(*this)) sleep();
    }
    left = true;
  }

  bool left = false;

 private:
  void put_in_line(fiber& one) {
    explore::check(!one.in_line, "a fiber is in two lines");
    one.in_line = true;
  }
  void push_ready(fiber& one) noexcept {
    one.turn_ = ++last_turn_;
    ready_.push_back(one);
  }
  fiber* next_in_line() noexcept {
    fiber* const ready = ready_.front();
    const std::int64_t turn = ready != nullptr ? ready->turn_ : std::numeric_limits<std::int64_t>::max();
    if (fiber* const unstarted = unstarted_.pop_before(turn)) return unstarted;
    if (ready != nullptr) ready_.remove(*ready);
    return ready;
  }
  void sleep() {
    const loop_rest rest = world_.lie_down(*this);
    if (!rest.allowed) return;
    if (rest.until == no_deadline) {
      explore::block_until([this] { return rung_; }, "sleep");
    } else {
      explore::wait_bounded([this] { return rung_; }, "sleep with a bound");
    }
    rung_ = false;
    world_.idle.get_up(*this);
  }

  World& world_;
  const std::size_t index_;
  std::vector<std::uint64_t> seen_switches_;
  idle_state idle_;
  remote_wakes<fiber> wakes_;
  unstarted_line_of<fiber, loop_of> unstarted_;
  line ready_;
  std::int64_t last_turn_ = 0;
  std::uint64_t switches_ = 0;
  bool rung_ = false;
};

/// A run: loops, fibers, and what the last idle loop decides. `Idle` and `Search` are the real ones, or have
/// a flaw.
template <template <typename> class Idle = idle_loops, template <typename> class Search = work_search>
struct world_of {
  using loop = loop_of<world_of>;
  using fiber = fiber_of<world_of>;
  static constexpr std::size_t loops_max = 3;

  explicit world_of(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      owned.push_back(std::make_unique<loop>(*this, i));
      loops.push_back(owned.back().get());
    }
  }

  /// As runtime::decide_all_idle().
  loop_rest decide(typename Idle<loop>::lock& held, loop& last) {
    if (alive.load() == 0) {
      explore::check(!idle.over(), "the run ends twice");
      idle.end_run(held, last);
      return {};
    }
    explore::check(outside.load() > 0, "a deadlock is seen where there is none");
    return {true};
  }
  /// A flawed `Idle` is asked itself; it comes with programs that share nothing.
  loop_rest lie_down(loop& one) {
    const auto last = [&](auto& held) { return decide(held, one); };
    if constexpr (std::is_same_v<Idle<loop>, idle_loops<loop>>) {
      return search.lie_down(one, last);
    } else {
      return idle.lie_down(one, last);
    }
  }
  /// The last thing that a fiber does.
  void end_fiber() { alive.fetch_sub(1); }
  bool all_left() const {
    bool all = true;
    for (const auto& one : owned) all = all && one->left;
    return all;
  }

  std::vector<std::unique_ptr<loop>> owned;
  std::vector<loop*> loops;
  std::array<fiber, 4> fibers;
  Idle<loop> idle{loops};
  Search<loop> search{loops, idle};
  atomic<int> alive{0};
  atomic<int> outside{0};
  spin_lock of_a_primitive;
};

void expect_complete(const explore::outcome& tried, std::size_t executions_min) {
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_GT(tried.executions, executions_min);
}

/// Runs `count` loops in all orders; `prepare(world&, execution&)` puts fibers there.
template <typename World, typename Prepare>
explore::outcome all_orders_of(std::size_t count, int preemptions_max, Prepare prepare) {
  return explore::all_orders(
      [=](explore::execution& run) {
        const auto shared = std::make_shared<World>(count);
        prepare(*shared, run);
        for (auto* const loop : shared->loops) run.thread([shared, loop] { loop->run(); });
        run.at_end([shared] {
          for (const auto& one : shared->fibers) explore::check(!one.in_line, "a fiber is left in line");
        });
      },
      {.preemptions_max = preemptions_max});
}

// The same with a flaw, to show that it would be found.

enum class flaw : unsigned char {
  none,
  looks_before_it_lies_down,  // and not afterwards
  counts_in_two_steps,        // so two loops may each find that the other one is up
  rings_first,                // and ends the sleep then
  leaves_the_rest_asleep,     // when the run is over
};

template <flaw Flaw>
struct flawed_idle {
  template <typename Loop>
  class of : public idle_loops<Loop> {
   public:
    using lock = typename idle_loops<Loop>::lock;
    explicit of(const std::vector<Loop*>& loops) : idle_loops<Loop>(loops), loops_(loops) {}

    bool over() const { return over_.load(); }
    template <typename Decide>
    loop_rest lie_down(Loop& loop, Decide&& all_sleep) {
      const bool came_before = brought(loop);
      lock held(lock_);
      if (over()) return {};
      sleeps_[loop.index()].store(true);
      std::size_t count = 0;
      if constexpr (Flaw == flaw::counts_in_two_steps) {
        held.unlock();
        count = count_.load() + 1;
        held.lock();
        count_.fetch_add(1);
      } else {
        count = count_.fetch_add(1) + 1;
      }
      if (Flaw == flaw::looks_before_it_lies_down ? came_before : brought(loop)) {
        wake_up(loop);
        return {};
      }
      if (count == loops_.size()) return all_sleep(held);
      return {true};
    }
    void get_up(Loop& loop) {
      const std::lock_guard held(lock_);
      if (sleeps_[loop.index()].load()) wake_up(loop);
    }
    void end_run(lock& held, Loop& last) {
      over_.store(true);
      wake_up(last);
      held.unlock();
      if constexpr (Flaw == flaw::leaves_the_rest_asleep) return;
      for (Loop* const loop : loops_) {
        if (loop != &last) rouse(*loop);
      }
    }
    void rouse(Loop& loop) {
      if (!sleeps_[loop.index()].load()) return;
      if constexpr (Flaw == flaw::rings_first) loop.ring();
      {
        const std::lock_guard held(lock_);
        if (!sleeps_[loop.index()].load()) return;
        wake_up(loop);
      }
      if constexpr (Flaw != flaw::rings_first) loop.ring();
    }

   private:
    static bool brought(Loop& loop) { return loop.has_remote_wakes() || loop.has_ready(); }
    void wake_up(Loop& loop) {
      sleeps_[loop.index()].store(false);
      count_.fetch_sub(1);
    }

    const std::vector<Loop*>& loops_;
    spin_lock lock_;
    std::array<atomic<bool>, 3> sleeps_;
    atomic<std::size_t> count_{0};
    atomic<bool> over_{false};
  };
};

/// Lies down without a look at what others have.
template <typename Loop>
class looks_only_while_awake : public work_search<Loop> {
 public:
  looks_only_while_awake(const std::vector<Loop*>& loops, idle_loops<Loop>& idle)
      : work_search<Loop>(loops, idle), idle_(idle) {}
  template <typename Decide>
  loop_rest lie_down(Loop& loop, Decide&& all_sleep) {
    return idle_.lie_down(loop, all_sleep);
  }

 private:
  idle_loops<Loop>& idle_;
};

/// A loop with work of its own stays the one that searches.
template <typename Loop>
class keeps_the_search : public work_search<Loop> {
 public:
  using work_search<Loop>::work_search;
  void pass_on(Loop&) noexcept {}
};

// Waking.

/// A fiber wakes one that lives on another loop, and is woken by it.
template <template <typename> class Idle = idle_loops>
explore::outcome wake_each_other(int preemptions_max) {
  using world = world_of<Idle>;
  return all_orders_of<world>(2, preemptions_max, [](world& all, explore::execution&) {
    all.alive = 2;
    all.fibers[0].body = [&all](auto& here) {
      if (all.fibers[0].turns == 2) return all.end_fiber();
      all.loops[1]->wake(all.fibers[1], &here);
    };
    all.fibers[1].body = [&all](auto& here) {
      all.loops[0]->wake(all.fibers[0], &here);
      all.end_fiber();
    };
    all.loops[0]->wake(all.fibers[0], all.loops[0]);
  });
}

TEST(idle_loops, that_are_found_to_be_wrong_are_so_by_their_flaw_only) {
  expect_complete(wake_each_other<flawed_idle<flaw::none>::of>(2), 100);
}

TEST(idle_loops, that_look_before_they_lie_down_are_found_to_miss_a_wake) {
  const auto tried = wake_each_other<flawed_idle<flaw::looks_before_it_lies_down>::of>(2);
  EXPECT_EQ(tried.failure.find("a deadlock is seen where there is none"), 0U) << tried.failure;
}

TEST(idle_loops, that_count_in_two_steps_are_found_to_leave_nobody_to_decide) {
  const auto tried = wake_each_other<flawed_idle<flaw::counts_in_two_steps>::of>(2);
  EXPECT_EQ(tried.failure.find("deadlock: every thread"), 0U) << tried.failure;
}

TEST(idle_loops, that_are_rung_first_are_found_to_sleep_on) {
  const auto tried = wake_each_other<flawed_idle<flaw::rings_first>::of>(2);
  EXPECT_EQ(tried.failure.find("deadlock: every thread"), 0U) << tried.failure;
}

TEST(idle_loops, that_are_not_told_of_the_end_are_found_to_sleep_on) {
  const auto tried = wake_each_other<flawed_idle<flaw::leaves_the_rest_asleep>::of>(1);
  EXPECT_EQ(tried.failure.find("deadlock: every thread"), 0U) << tried.failure;
}

TEST(idle_loops, are_roused_for_each_wake_and_end_when_no_fiber_is_left) {
  expect_complete(wake_each_other(2), 100);
}

/// A thread that is no loop wakes a fiber that is the only one.
template <template <typename> class Idle = idle_loops>
explore::outcome wake_from_outside(int preemptions_max) {
  using world = world_of<Idle>;
  return all_orders_of<world>(2, preemptions_max, [](world& all, explore::execution& run) {
    all.alive = 1;
    all.outside = 1;
    all.fibers[0].body = [&all](auto&) {
      { const std::lock_guard after_the_waker(all.of_a_primitive); }
      all.end_fiber();
    };
    run.thread([&all] {
      {
        const std::lock_guard held(all.of_a_primitive);
        all.loops[0]->wake(all.fibers[0], nullptr);
        explore::check(!all.all_left(), "the run ends under the feet of a waker");
      }
      all.outside.fetch_sub(1);
    });
  });
}

TEST(idle_loops, are_roused_from_outside_and_see_no_deadlock_before) {
  expect_complete(wake_from_outside(2), 100);
}

// Sharing.

/// A fiber adds two others and keeps its loop until they have run.
template <template <typename> class Idle = idle_loops, template <typename> class Search = work_search>
explore::outcome share_two(int preemptions_max) {
  using world = world_of<Idle, Search>;
  return all_orders_of<world>(2, preemptions_max, [](world& all, explore::execution&) {
    all.alive = 3;
    all.fibers[0].body = [&all](auto& here) {
      here.add(all.fibers[1]);
      here.add(all.fibers[2]);
      explore::block_until([&all] { return all.fibers[1].turns + all.fibers[2].turns == 2; }, "busy");
      all.end_fiber();
    };
    all.fibers[1].body = all.fibers[2].body = [&all](auto&) { all.end_fiber(); };
    all.loops[0]->wake(all.fibers[0], all.loops[0]);
  });
}

TEST(work_search, takes_what_a_busy_loop_does_not_start) { expect_complete(share_two(2), 100); }

TEST(work_search, that_looks_only_while_its_loop_is_awake_is_found_to_miss_a_fiber) {
  const auto tried = share_two<idle_loops, looks_only_while_awake>(2);
  EXPECT_EQ(tried.failure.find("deadlock: every thread"), 0U) << tried.failure;
}

/// Two fibers that need a loop each, besides that of the one that makes them.
explore::outcome share_among_three(int preemptions_max) {
  using world = world_of<>;
  return all_orders_of<world>(3, preemptions_max, [](world& all, explore::execution&) {
    all.alive = 3;
    const auto both_run = [&all] { return all.fibers[1].turns + all.fibers[2].turns == 2; };
    all.fibers[0].body = [&all, both_run](auto& here) {
      here.add(all.fibers[1]);
      here.add(all.fibers[2]);
      explore::block_until(both_run, "busy");
      all.end_fiber();
    };
    all.fibers[1].body = all.fibers[2].body = [&all, both_run](auto&) {
      explore::block_until(both_run, "busy");
      all.end_fiber();
    };
    all.loops[0]->wake(all.fibers[0], all.loops[0]);
  });
}

TEST(work_search, goes_on_to_another_loop_while_there_is_work) { expect_complete(share_among_three(1), 100); }

/// Three fibers that need a loop each; who takes two of them at once runs only one.
explore::outcome share_what_was_taken(int preemptions_max) {
  using world = world_of<>;
  return all_orders_of<world>(3, preemptions_max, [](world& all, explore::execution&) {
    all.alive = 4;
    const auto all_run = [&all] {
      return all.fibers[1].turns + all.fibers[2].turns + all.fibers[3].turns == 3;
    };
    all.fibers[0].body = [&all](auto& here) {
      for (int i = 1; i <= 3; ++i) here.add(all.fibers[static_cast<std::size_t>(i)]);
      all.end_fiber();
    };
    for (std::size_t i = 1; i <= 3; ++i) {
      all.fibers[i].body = [&all, all_run](auto&) {
        explore::block_until(all_run, "busy");
        all.end_fiber();
      };
    }
    all.loops[0]->wake(all.fibers[0], all.loops[0]);
  });
}

TEST(work_search, offers_what_it_took_and_cannot_start) { expect_complete(share_what_was_taken(1), 100); }

/// The loop that is roused to search gets a fiber of its own, which keeps it until the new one has run.
template <template <typename> class Search = work_search>
explore::outcome search_and_wake(int preemptions_max) {
  using world = world_of<idle_loops, Search>;
  return all_orders_of<world>(3, preemptions_max, [](world& all, explore::execution&) {
    all.alive = 3;
    const auto new_one_runs = [&all] { return all.fibers[2].turns == 1; };
    all.fibers[0].body = [&all, new_one_runs](auto& here) {
      here.add(all.fibers[2]);
      all.loops[1]->wake(all.fibers[1], &here);
      explore::block_until(new_one_runs, "busy");
      all.end_fiber();
    };
    all.fibers[1].body = [&all, new_one_runs](auto&) {
      explore::block_until(new_one_runs, "busy");
      all.end_fiber();
    };
    all.fibers[2].body = [&all](auto&) { all.end_fiber(); };
    all.loops[0]->wake(all.fibers[0], all.loops[0]);
  });
}

TEST(work_search, is_passed_on_by_a_loop_that_gets_work_of_its_own) {
  expect_complete(search_and_wake(1), 100);
}

TEST(work_search, that_stays_with_such_a_loop_is_found_to_forget_a_fiber) {
  const auto tried = search_and_wake<keeps_the_search>(1);
  EXPECT_EQ(tried.failure.find("deadlock: every thread"), 0U) << tried.failure;
}

}  // namespace
}  // namespace weft::detail
