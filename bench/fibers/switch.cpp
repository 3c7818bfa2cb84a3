// The switch itself, with the exchange of the exception state and the guard below the stack.

#include "fiber/stack.hpp"
#include "fibers/peers.hpp"
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

  void there() { detail::switch_stack(thread, *other, *live, false); }
  void back() { detail::switch_stack(*other, thread, *live, false); }
};

void bounce(void* argument) {
  auto& both = *static_cast<pair_of_stacks*>(argument);
  for (;;) both.back();
}

double switch_one_pair() {
  detail::stack_pool pool(64 * 1024);
  pair_of_stacks both;
  detail::adopt_thread_stack(both.thread);
  both.other = pool.acquire();
  if (both.other == nullptr) throw unavailable("no memory for a stack");
  detail::prepare_stack(*both.other, bounce, &both);
  const double ns = ns_per(switches, [&] { repeat(switches / 2, [&] { both.there(); }); });
  pool.release(*both.other);
  return ns;
}

const add one_pair{{
    .group = "fibers",
    .name = "switch, one pair",
    .unit = "ns",
    .ours = switch_one_pair,
    .baseline = "Boost.Context fcontext",
    .peer = [] { return peers::fcontext_switch(switches); },
    .target = at_most_times(1.0),
}};

}  // namespace
