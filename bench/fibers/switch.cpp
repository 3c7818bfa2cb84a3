// The switch itself, with the exchange of the exception state and the guard below the stack.

#include "fiber/switch_stack.hpp"
#include "fibers/bare_switch.hpp"
#include "peers/peers.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;
namespace detail = weft::detail;

constexpr std::size_t switches = 10'000'000;

struct pair_of_stacks {
  detail::stack_record thread;
  detail::stack_record* other = nullptr;
  detail::exception_state* live = &detail::thread_exception_state();

  void there() { pass(thread, *other); }
  void back() { pass(*other, thread); }

 private:
  /// One place for both, as in the scheduler.
  [[gnu::noinline]] void pass(detail::stack_record& from, detail::stack_record& to) {
    detail::switch_stack(from, to, *live);
    asm volatile("");
  }
};

void* bounce(void* argument) {
  auto& both = *static_cast<pair_of_stacks*>(argument);
  for (;;) both.back();
}

double switch_one_pair(std::size_t count) {
  detail::stack_pool pool(64 * 1024);
  pair_of_stacks both;
  detail::adopt_thread_stack(both.thread);
  both.other = pool.acquire();
  if (both.other == nullptr) throw unavailable("no memory for a stack");
  detail::prepare_stack(*both.other, bounce, &both);
  const double ns = cpu_ns_per(count, [&] { repeat(count / 2, [&] { both.there(); }); });
  pool.release(*both.other);
  return ns;
}

/// The median difference of short runs in turn: both move with the machine.
double cost_of_safety() {
  constexpr int rounds = 11;
  std::vector<double> more;
  for (int n = 0; n < rounds; ++n) {
    const double safe = switch_one_pair(switches / rounds);
    more.push_back(safe - bare_switch(switches / rounds));
  }
  return median(more);
}

/// Both sides are in a handler, so that the state is moved at each switch.
double switch_in_a_handler() {
  try {
    throw 1;
  } catch (int) {
    return switch_one_pair(switches);
  }
}

const add one_pair{{
    .group = "fibers",
    .name = "switch, one pair",
    .unit = "ns",
    .ours = [] { return switch_one_pair(switches); },
    .baseline = "bare switch",
    .peer = [] { return bare_switch(switches); },
    .target = at_most_times(1.3),
    .more = {{"Boost.Context fcontext", boost_peer("fcontext_switch")}},
}};

const add in_a_handler{{
    .group = "fibers",
    .name = "switch, one pair, one in a handler",
    .unit = "ns",
    .ours = switch_in_a_handler,
    .baseline = "bare switch",
    .peer = [] { return bare_switch(switches); },
}};

const add safety{{
    .group = "fibers",
    .name = "cost of guards and exception state",
    .unit = "ns",
    .ours = cost_of_safety,
    .target = at_most(2),
}};

}  // namespace
