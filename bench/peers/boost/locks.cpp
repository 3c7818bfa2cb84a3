#include <thread>
#include <vector>

#include "peers/boost/peer.hpp"

namespace weft::bench::boost_peer {
namespace {

std::size_t guarded = 0;

/// `count` fibers of this thread take the lock `rounds` times each; `between` runs while it is held.
template <typename Between>
void take_turns(fibers::mutex& mutex, std::size_t count, std::size_t rounds, Between between) {
  std::vector<fibers::fiber> all;
  repeat(count, [&] {
    all.push_back(start([&mutex, rounds, between] {
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

}  // namespace

double uncontended_mutex() {
  constexpr std::size_t rounds = 5'000'000;
  fibers::mutex mutex;
  take_turns(mutex, 1, rounds / 10, [] {});
  return cpu_ns_per(rounds, [&] { take_turns(mutex, 1, rounds, [] {}); });
}

double mutex_across_yield() {
  constexpr std::size_t count = 100;
  constexpr std::size_t rounds = 2000;
  fibers::mutex mutex;
  const auto run = [&](std::size_t times) {
    take_turns(mutex, count, times, [] { boost::this_fiber::yield(); });
  };
  run(rounds / 10);
  return cpu_ns_per(count * rounds, [&] { run(rounds); });
}

double contended_mutex() {
  constexpr std::size_t each = 250'000;
  fibers::mutex mutex;
  const auto run = [&](std::size_t rounds) {
    std::thread other([&] { take_turns(mutex, 2, rounds, [] {}); });
    take_turns(mutex, 2, rounds, [] {});
    other.join();
  };
  run(each / 10);
  return ns_per(4 * each, [&] { run(each); });
}

}  // namespace weft::bench::boost_peer
