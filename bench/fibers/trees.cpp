// Many small tasks that start others and join them.

#include <array>
#include <stdexcept>
#include <string>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "peers/peers.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

long skynet(long number, long size) {
  if (size == 1) return number;
  std::array<weft::fiber<long>, 10> children;
  for (long n = 0; n < 10; ++n) {
    children[static_cast<std::size_t>(n)] =
        weft::go([=] { return skynet(number + n * (size / 10), size / 10); });
  }
  long sum = 0;
  for (auto& child : children) sum += child.join();
  return sum;
}

/// One branch is forked, the other is called, then they are joined.
long fib(long n, std::size_t& tasks) {
  if (n < 2) return n;
  ++tasks;
  auto left = weft::go([&tasks, n] { return fib(n - 1, tasks); });
  const long right = fib(n - 2, tasks);
  return left.join() + right;
}

void expect(long got, long wanted) {
  if (got != wanted) throw std::runtime_error("a tree gave " + std::to_string(got));
}

weft::run_options for_a_tree(std::size_t threads) { return {.threads = threads, .max_fibers = 2'000'000}; }

void ask_skynet() {
  constexpr long leaves = 1'000'000;
  expect(skynet(0, leaves), leaves / 2 * (leaves - 1));
}

double skynet_one_thread() {
  double ms = 0;
  const auto main = [&] {
    ask_skynet();
    ms = cpu_ns_per(1'000'000, ask_skynet);
  };
  weft::run(main, for_a_tree(1));
  return ms;
}

double skynet_two_threads() {
  double ms = 0;
  const auto main = [&] {
    ask_skynet();
    ms = ns_per(1'000'000, ask_skynet);
  };
  weft::run(main, for_a_tree(2));
  return ms;
}

double fib_per_task() {
  double ns = 0;
  weft::run([&] {
    std::size_t tasks = 0;
    expect(fib(20, tasks), 6765);
    tasks = 0;
    ns = cpu_ns_per(1, [&] { repeat(20, [&] { expect(fib(20, tasks), 6765); }); }) /
         static_cast<double>(tasks);
  });
  return ns;
}

const add skynet_1{{
    .group = "fibers",
    .name = "skynet, 10^6 leaves, one thread",
    .unit = "ms",
    .ours = skynet_one_thread,
    .baseline = "Go",
    .peer = go_peer("skynet"),
    .target = at_most_times(1.0 / 8),
    .more = {{"Boost.Fiber", boost_peer("skynet")}},
}};

const add skynet_2{{
    .group = "fibers",
    .name = "skynet, 10^6 leaves, two threads",
    .unit = "ms",
    .ours = skynet_two_threads,
    .baseline = "Go",
    .peer = go_peer("skynet", 2),
    .target = at_most_times(1.0 / 8),
}};

const add fork_join{{
    .group = "fibers",
    .name = "fork-join fib, per task",
    .unit = "ns",
    .ours = fib_per_task,
    .baseline = "Go",
    .peer = go_peer("fib"),
    .target = at_most_times(1.0 / 5),
    .more = {{"Boost.Fiber", boost_peer("fib")}},
}};

}  // namespace
