#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "fiber/fiber_line.hpp"
#include "interleaving/explorer.hpp"

// The line of the fibers that have not started, which its loop empties from the front while others take from
// it.

namespace weft::detail {
namespace {

struct loop_name {};

struct fiber {
  int turns = 0;
  std::int64_t turn_ = 0;
  std::uint64_t parent_id_ = 0;
  fiber* next_ = nullptr;
  fiber* previous_ = nullptr;
  bool is_unstarted_ = false;
  atomic<loop_name*> home_{nullptr};
};

constexpr auto any_turn = std::numeric_limits<std::int64_t>::max();

class real_line : public unstarted_line_of<fiber, loop_name> {
 public:
  /// Another loop has taken `one` and has it in its own line.
  void was_adopted(fiber&, loop_name*) {}
};

/// A fiber that is taken moves to its new home only when it is in line there.
class late_move : public real_line {
 public:
  std::size_t steal(line_of<fiber>& into, std::size_t count_max, loop_name*) {
    return real_line::steal(into, count_max, former_home);
  }
  void was_adopted(fiber& one, loop_name* thief) { one.home_.store(thief); }
  loop_name* former_home = nullptr;
};

/// The loop puts three fibers in line, wants the second one and its sibling first, and runs what is left in
/// its line; another loop takes some of them into its own line and runs them.
template <typename Line>
struct two_loops {
  two_loops() {
    if constexpr (requires { line.former_home; }) line.former_home = &owner;
  }

  void own() {
    std::int64_t turn = 0;
    for (fiber& one : fibers) {
      one.home_.store(&owner, std::memory_order_relaxed);
      one.turn_ = ++turn;
      one.parent_id_ = &one == fibers.data() ? 1 : 2;
      line.push_back(one);
    }
    std::int64_t first_turn = 0;
    line.move_to_front(fibers[1], first_turn, &owner);
    explore::check(first_turn == 0 || first_turn == -1 || first_turn == -2, "more turns than fibers moved");
    run_all(line, owner);
  }

  void take() {
    for (int i = 0; i < 2; ++i) {
      line_of<fiber> taken;
      const std::size_t count = line.steal(taken, 2, &thief);
      explore::check(taken.length() == count, "not as many were taken as it says");
      while (fiber* const one = taken.front()) {
        taken.remove(*one);
        line_of_thief.push_back(*one);
        line.was_adopted(*one, &thief);
      }
      run_all(line_of_thief, thief);
    }
  }

  void run_all(real_line& from, loop_name& here) {
    std::int64_t last = -3;
    while (fiber* const one = from.pop_before(any_turn)) {
      explore::check(one->home_.load(std::memory_order_relaxed) == &here, "a fiber runs away from its home");
      explore::check(one->turn_ > last, "not first come, first served");
      last = one->turn_;
      explore::check(++one->turns == 1, "a fiber has two turns");
    }
  }

  void check_all_had_a_turn() {
    explore::check(line.size() == 0 && line_of_thief.size() == 0, "a fiber is left in line");
    for (const fiber& one : fibers) explore::check(one.turns == 1, "a fiber had no turn");
  }

  Line line;
  real_line line_of_thief;
  std::array<fiber, 3> fibers;
  loop_name owner, thief;
};

template <typename Line>
explore::outcome take_from_two_sides(int preemptions_max) {
  return explore::all_orders(
      [](explore::execution& run) {
        auto shared = std::make_shared<two_loops<Line>>();
        run.thread([=] { shared->own(); });
        run.thread([=] { shared->take(); });
        run.at_end([=] { shared->check_all_had_a_turn(); });
      },
      {.preemptions_max = preemptions_max});
}

TEST(unstarted_line, gives_each_fiber_to_one_loop_oldest_first) {
  const auto tried = take_from_two_sides<real_line>(3);
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_GT(tried.executions, 1000U);
}

TEST(unstarted_line, from_which_fibers_move_too_late_is_found_to_take_them_back) {
  const auto tried = take_from_two_sides<late_move>(3);
  EXPECT_EQ(tried.failure.find("a fiber"), 0U) << tried.failure;
}

}  // namespace
}  // namespace weft::detail
