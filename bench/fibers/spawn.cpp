#include <vector>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "peers/peers.hpp"
#include "support/child.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t batch = 1000;
constexpr std::size_t batches = 200;

void one_batch() {
  std::vector<weft::fiber<void>> all;
  all.reserve(batch);
  repeat(batch, [&] { all.push_back(weft::go([] {})); });
  for (auto& one : all) one.join();
}

double spawn_and_join() {
  double ns = 0;
  weft::run([&] {
    one_batch();  // warms the stacks
    ns = cpu_ns_per(batch * batches, [] { repeat(batches, one_batch); });
  });
  return ns;
}

/// Nanoseconds for each fiber from its start until all of them wait; their end is not counted.
double spawn_that_waits(std::size_t count) {
  weft::event gate;
  std::size_t waiting = 0;
  std::vector<weft::fiber<void>> all;
  all.reserve(count);
  const double ns = cpu_ns_per(count, [&] {
    repeat(count, [&] {
      all.push_back(weft::go([&] {
        ++waiting;
        gate.wait();
      }));
    });
    while (waiting < count) weft::yield();
  });
  gate.set();
  for (auto& one : all) one.join();
  return ns;
}

double spawn_that_waits_warm() {
  double sum = 0;
  weft::run([&] {
    spawn_that_waits(batch);
    repeat(batches, [&] { sum += spawn_that_waits(batch); });
  });
  return sum / batches;
}

const add spawn{{
    .group = "fibers",
    .name = "spawn+join, batch of 1,000, warm",
    .unit = "ns",
    .ours = spawn_and_join,
    .baseline = "Go",
    .peer = go_peer("spawn_join"),
    .target = at_most_times(1.0 / 4),
    .more = {{"Boost.Fiber", boost_peer("spawn_join"), at_most_times(1.0 / 6)}},
}};

const add waits_warm{{
    .group = "fibers",
    .name = "spawn that then waits, warm stack",
    .unit = "ns",
    .ours = spawn_that_waits_warm,
    .baseline = "Go",
    .peer = go_peer("spawn_wait_warm"),
    .target = at_most(150),
    .more = {{"Boost.Fiber", boost_peer("spawn_wait_warm")}},
}};

const add_probe cold{"spawn_wait_cold", [] {
                       double ns = 0;
                       weft::run([&] { ns = spawn_that_waits(100'000); });
                       return ns;
                     }};

const add waits_cold{{
    .group = "fibers",
    .name = "spawn that waits, cold stack",
    .unit = "ns",
    .ours = in_fresh_process("spawn_wait_cold"),
    .baseline = "Go",
    .peer = go_peer("spawn_wait_cold"),
    .target = at_most(5000),
    .more = {{"Boost.Fiber, no guards", boost_peer("spawn_wait_cold")}},
    .warm_up = false,
}};

}  // namespace
