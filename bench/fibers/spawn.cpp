#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "fibers/peers.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t batch = 1000;
constexpr std::size_t batches = 200;

double spawn_and_join() {
  double ns = 0;
  weft::run([&] {
    const auto one_batch = [] {
      std::vector<weft::fiber<void>> all;
      all.reserve(batch);
      repeat(batch, [&] { all.push_back(weft::go([] {})); });
      for (auto& one : all) one.join();
    };
    one_batch();  // warms the stacks
    ns = ns_per(batch * batches, [&] { repeat(batches, one_batch); });
  });
  return ns;
}

const add spawn{{
    .group = "fibers",
    .name = "spawn+join, batch of 1,000, warm",
    .unit = "ns",
    .ours = spawn_and_join,
    .baseline = "Boost.Fiber, pooled stacks",
    .peer = [] { return peers::fiber_spawn_and_join(batches); },
    .target = at_most_times(1.0 / 6),
}};

}  // namespace
