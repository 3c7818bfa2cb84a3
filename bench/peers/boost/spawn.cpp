#include <boost/context/detail/fcontext.hpp>
#include <vector>

#include "peers/boost/peer.hpp"

namespace weft::bench::boost_peer {
namespace {

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

constexpr std::size_t batch = 1000;
constexpr std::size_t batches = 200;

void bounce(transfer_t from) {
  for (;;) from = jump_fcontext(from.fctx, nullptr);
}

void one_batch() {
  std::vector<fibers::fiber> all;
  all.reserve(batch);
  repeat(batch, [&] { all.push_back(start([] {})); });
  for (auto& one : all) one.join();
}

/// Nanoseconds for each fiber from its start until all of them wait; their end is not counted.
double spawn_that_waits(std::size_t count) {
  gate waits;
  std::size_t waiting = 0;
  std::vector<fibers::fiber> all;
  all.reserve(count);
  const double ns = cpu_ns_per(count, [&] {
    repeat(count, [&] {
      all.push_back(start([&] {
        ++waiting;
        waits.wait();
      }));
    });
    while (waiting < count) boost::this_fiber::yield();
  });
  waits.open();
  for (auto& one : all) one.join();
  return ns;
}

}  // namespace

double fcontext_switch() {
  constexpr std::size_t switches = 10'000'000;
  boost::context::fixedsize_stack allocator(stack_bytes);
  auto stack = allocator.allocate();
  auto other = make_fcontext(stack.sp, stack.size, bounce);
  const double ns = cpu_ns_per(
      switches, [&] { repeat(switches / 2, [&] { other = jump_fcontext(other, nullptr).fctx; }); });
  allocator.deallocate(stack);
  return ns;
}

double spawn_and_join() {
  one_batch();
  return cpu_ns_per(batches * batch, [] { repeat(batches, one_batch); });
}

double spawn_that_waits_warm() {
  spawn_that_waits(batch);
  double sum = 0;
  repeat(batches, [&] { sum += spawn_that_waits(batch); });
  return sum / batches;
}

double spawn_that_waits_cold() { return spawn_that_waits(100'000); }

}  // namespace weft::bench::boost_peer
