#include <stdexcept>

#include "peers/boost/peer.hpp"

namespace weft::bench::boost_peer {
namespace {

using channel = fibers::buffered_channel<long>;

long skynet(long number, long size) {
  if (size == 1) return number;
  channel below(16);
  fibers::fiber children[10];
  for (long n = 0; n < 10; ++n) {
    children[n] =
        start_now([&below, number, size, n] { below.push(skynet(number + n * (size / 10), size / 10)); });
  }
  long sum = 0;
  for (int n = 0; n < 10; ++n) sum += below.value_pop();
  for (auto& child : children) child.join();
  return sum;
}

long fib(long n, std::size_t& tasks) {
  if (n < 2) return n;
  ++tasks;
  long left = 0;
  auto forked = start_now([&] { left = fib(n - 1, tasks); });
  const long right = fib(n - 2, tasks);
  forked.join();
  return left + right;
}

void expect(long got, long wanted) {
  if (got != wanted) throw std::runtime_error("a tree gave " + std::to_string(got));
}

}  // namespace

double skynet_milliseconds() {
  constexpr long leaves = 1'000'000;
  const auto ask = [] { expect(skynet(0, leaves), leaves / 2 * (leaves - 1)); };
  ask();
  return cpu_ns_per(1'000'000, ask);
}

double fib_per_task() {
  std::size_t tasks = 0;
  expect(fib(20, tasks), 6765);
  tasks = 0;
  const double ns = cpu_ns_per(1, [&] { repeat(20, [&] { expect(fib(20, tasks), 6765); }); });
  return ns / static_cast<double>(tasks);
}

}  // namespace weft::bench::boost_peer
