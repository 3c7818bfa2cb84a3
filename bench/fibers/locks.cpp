#include <mutex>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/run.hpp>

#include "fibers/two_threads.hpp"
#include "peers/peers.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

std::size_t guarded = 0;

/// `count` fibers take the lock `rounds` times each; `between` runs while it is held.
template <typename Between>
void take_turns(weft::mutex& mutex, std::size_t count, std::size_t rounds, Between between) {
  std::vector<weft::fiber<void>> all;
  repeat(count, [&] {
    all.push_back(weft::go([&mutex, rounds, between] {
      repeat(rounds, [&] {
        const std::lock_guard lock(mutex);
        ++guarded;
        keep(guarded);
        between();
      });
    }));
  });
  for (auto& one : all) one.join();
}

double uncontended() {
  constexpr std::size_t rounds = 5'000'000;
  double ns = 0;
  weft::run([&] {
    weft::mutex mutex;
    take_turns(mutex, 1, rounds / 10, [] {});
    ns = cpu_ns_per(rounds, [&] { take_turns(mutex, 1, rounds, [] {}); });
  });
  return ns;
}

double across_yield() {
  constexpr std::size_t count = 100;
  constexpr std::size_t rounds = 2000;
  double ns = 0;
  weft::run([&] {
    weft::mutex mutex;
    const auto run = [&](std::size_t times) { take_turns(mutex, count, times, [] { weft::yield(); }); };
    run(rounds / 10);
    ns = cpu_ns_per(count * rounds, [&] { run(rounds); });
  });
  return ns;
}

double contended() {
  constexpr std::size_t each = 250'000;
  weft::mutex mutex;
  const auto run = [&](std::size_t rounds) {
    const auto half = [&] { take_turns(mutex, 2, rounds, [] {}); };
    on_two_threads(half, half);
  };
  run(each / 10);
  return ns_per(4 * each, [&] { run(each); });
}

const add one_thread{{
    .group = "fibers",
    .name = "mutex, one thread",
    .unit = "ns",
    .ours = uncontended,
    .baseline = "Go",
    .peer = go_peer("mutex"),
    .target = at_most_times(1.5),
    .more = {{"Boost.Fiber", boost_peer("mutex")}},
}};

const add held{{
    .group = "fibers",
    .name = "mutex held across a yield, 100 wait",
    .unit = "ns",
    .ours = across_yield,
    .baseline = "Go",
    .peer = go_peer("mutex_yield"),
    .target = at_most_times(1.0 / 5),
    .more = {{"Boost.Fiber", boost_peer("mutex_yield")}},
}};

const add two_threads{{
    .group = "fibers",
    .name = "mutex, two threads",
    .unit = "ns",
    .ours = contended,
    .baseline = "Go",
    .peer = go_peer("mutex_contended", 2),
    .target = at_most_times(1.1),
    .more = {{"Boost.Fiber", boost_peer("mutex_contended")}},
}};

}  // namespace
