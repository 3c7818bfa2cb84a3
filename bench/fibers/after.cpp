// Timers as users have them: a function, a handle, a context, a fiber for the tick. The wheel alone is in
// timers.cpp.

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <queue>
#include <vector>

#include <weft/fiber/run.hpp>
#include <weft/fiber/timer.hpp>
#include <weft/fiber/wait_group.hpp>

#include "peers/peers.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::size_t live = 1'000'000;
constexpr std::size_t rounds = 1'000'000;
constexpr std::size_t batch = 10'000;
constexpr std::size_t batches = 20;

milliseconds spread(std::size_t n) { return milliseconds(n * 7919 % 1000); }

double arm_and_cancel() {
  double ns = 0;
  weft::run([&] {
    std::vector<weft::timer> others;
    others.reserve(live);
    for (std::size_t n = 0; n < live; ++n) others.push_back(weft::after(1h + spread(n), [] {}));
    ns = cpu_ns_per(rounds, [] {
      for (std::size_t n = 0; n < rounds; ++n) weft::after(30s + spread(n), [] {}).cancel();
    });
  });
  return ns;
}

/// What a program without timers has: functions by their time.
double insert_and_erase() {
  std::multimap<milliseconds, std::function<void()>> by_time;
  for (std::size_t n = 0; n < live; ++n) by_time.emplace(1h + spread(n), [] {});
  return cpu_ns_per(rounds, [&] {
    for (std::size_t n = 0; n < rounds; ++n) by_time.erase(by_time.emplace(30s + spread(n), [] {}));
  });
}

/// Arms many that are due in the next millisecond, and waits for the last of them.
double arm_and_fire() {
  double ns = 0;
  weft::run([&] {
    const auto one_batch = [] {
      weft::wait_group ticks;
      ticks.add(batch);
      for (std::size_t n = 0; n < batch; ++n) weft::after(1ms, [&ticks] { ticks.done(); }).detach();
      ticks.wait();
    };
    one_batch();
    ns = cpu_ns_per(batch * batches, [&] { repeat(batches, one_batch); });
  });
  return ns;
}

/// Functions in a heap, called in their order in place: no clock, no handle, no fiber.
double push_and_call() {
  struct entry {
    std::size_t due;
    std::function<void()> call;
    bool operator<(const entry& other) const { return due > other.due; }
  };
  std::priority_queue<entry> heap;
  std::size_t calls = 0;
  const double ns = cpu_ns_per(batch * batches, [&] {
    repeat(batches, [&] {
      for (std::size_t n = 0; n < batch; ++n) heap.push({n, [&calls] { ++calls; }});
      for (; !heap.empty(); heap.pop()) heap.top().call();
    });
  });
  keep(calls);
  return ns;
}

const add cancelled{{
    .group = "fibers",
    .name = "after() and cancel(), 1M live",
    .unit = "ns",
    .ours = arm_and_cancel,
    .baseline = "Go",
    .peer = go_peer("timer_insert_cancel"),
    .more = {{"std::multimap", insert_and_erase}},
}};

const add fired{{
    .group = "fibers",
    .name = "after() to the end of its tick, 10k",
    .unit = "ns",
    .ours = arm_and_fire,
    .baseline = "Go",
    .peer = go_peer("timer_fire"),
    .more = {{"std::priority_queue", push_and_call}},
}};

}  // namespace
