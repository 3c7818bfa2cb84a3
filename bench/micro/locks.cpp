#include <benchmark/benchmark.h>

#include <mutex>
#include <shared_mutex>
#include <vector>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/once.hpp>
#include <weft/fiber/recursive_mutex.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/fiber/shared_mutex.hpp>

// Locks without contention, with two threads, and with a line of fibers.

namespace {

using namespace weft;

template <typename Lock>
void lock_and_unlock(benchmark::State& state) {
  static Lock lock;
  long counter = 0;
  for (auto _ : state) {
    const std::lock_guard held(lock);
    benchmark::DoNotOptimize(++counter);
  }
}
BENCHMARK(lock_and_unlock<std::mutex>)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(lock_and_unlock<weft::mutex>)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(lock_and_unlock<weft::recursive_mutex>);
BENCHMARK(lock_and_unlock<weft::shared_mutex>)->ThreadRange(1, 2)->UseRealTime();

void lock_shared(benchmark::State& state) {
  static weft::shared_mutex lock;
  for (auto _ : state) {
    const std::shared_lock held(lock);
    benchmark::DoNotOptimize(&lock);
  }
}
BENCHMARK(lock_shared)->ThreadRange(1, 2)->UseRealTime();

void semaphore_acquire_and_release(benchmark::State& state) {
  static semaphore permits(1);
  for (auto _ : state) {
    permits.acquire();
    permits.release();
  }
}
BENCHMARK(semaphore_acquire_and_release)->ThreadRange(1, 2)->UseRealTime();

void event_wait_when_set(benchmark::State& state) {
  event ready;
  ready.set();
  for (auto _ : state) ready.wait();
}
BENCHMARK(event_wait_when_set);

void once_when_done(benchmark::State& state) {
  once flag;
  for (auto _ : state) flag.call([] {});
}
BENCHMARK(once_when_done);

/// Fibers of one thread that hold the mutex while all others run; a time each.
void mutex_held_across_a_yield(benchmark::State& state) {
  const auto fibers = static_cast<std::size_t>(state.range(0));
  run([&] {
    weft::mutex lock;
    bool over = false;
    std::vector<fiber<void>> all;
    for (std::size_t i = 1; i < fibers; ++i) {
      all.push_back(go([&] {
        while (!over) {
          const std::lock_guard held(lock);
          yield();
        }
      }));
    }
    while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(fibers))) {
      const std::lock_guard held(lock);  // served again when each of the others was
      yield();
    }
    over = true;
    for (auto& one : all) one.join();
  });
}
BENCHMARK(mutex_held_across_a_yield)->Arg(2)->Arg(100);

}  // namespace
