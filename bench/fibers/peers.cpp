#include "fibers/peers.hpp"

#include "support/figure.hpp"
#include "support/measure.hpp"

#ifdef WEFT_BENCH_BOOST

#include <boost/context/detail/fcontext.hpp>
#include <boost/fiber/all.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <vector>

namespace weft::bench::peers {
namespace {

namespace fibers = boost::fibers;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

constexpr std::size_t stack_bytes = 64 * 1024;

void bounce(transfer_t from) {
  for (;;) from = jump_fcontext(from.fctx, nullptr);
}

/// One pool for all, so that its stacks are warm.
fibers::pooled_fixedsize_stack& stacks() {
  static fibers::pooled_fixedsize_stack pool(stack_bytes);
  return pool;
}

template <typename Work>
fibers::fiber start(Work&& work) {
  return fibers::fiber(std::allocator_arg, stacks(), std::forward<Work>(work));
}

}  // namespace

double fcontext_switch(std::size_t switches) {
  boost::context::fixedsize_stack allocator(stack_bytes);
  auto stack = allocator.allocate();
  auto other = make_fcontext(stack.sp, stack.size, bounce);
  const double ns =
      ns_per(switches, [&] { repeat(switches / 2, [&] { other = jump_fcontext(other, nullptr).fctx; }); });
  allocator.deallocate(stack);
  return ns;
}

double fiber_spawn_and_join(std::size_t batches) {
  constexpr std::size_t batch = 1000;
  return ns_per(batches * batch, [&] {
    repeat(batches, [] {
      std::vector<fibers::fiber> all;
      all.reserve(batch);
      repeat(batch, [&] { all.push_back(start([] {})); });
      for (auto& one : all) one.join();
    });
  });
}

double fiber_yield(std::size_t count, std::size_t rounds) {
  return ns_per(count * rounds, [&] {
    std::vector<fibers::fiber> all;
    repeat(count, [&] { all.push_back(start([&] { repeat(rounds, [] { boost::this_fiber::yield(); }); })); });
    for (auto& one : all) one.join();
  });
}

double fiber_ping_pong(std::size_t rounds) {
  fibers::buffered_channel<int> there(2), back(2);  // the smallest; one of the two places stays free
  auto echo = start([&] {
    for (int value : there) back.push(value);
    back.close();
  });
  double ns = 0;
  auto caller = start([&] {
    ns = ns_per(2 * rounds, [&] {
      int value = 0;
      repeat(rounds, [&] {
        there.push(value);
        back.pop(value);
      });
    });
    there.close();
  });
  caller.join();
  echo.join();
  return ns;
}

}  // namespace weft::bench::peers

#else

namespace weft::bench::peers {

double fcontext_switch(std::size_t) {
  throw unavailable("libboost-context1.81-dev was not there at build time");
}
double fiber_spawn_and_join(std::size_t) {
  throw unavailable("libboost-fiber1.81-dev was not there at build time");
}
double fiber_yield(std::size_t, std::size_t) {
  throw unavailable("libboost-fiber1.81-dev was not there at build time");
}
double fiber_ping_pong(std::size_t) {
  throw unavailable("libboost-fiber1.81-dev was not there at build time");
}

}  // namespace weft::bench::peers

#endif
