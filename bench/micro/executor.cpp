#include <benchmark/benchmark.h>

#include <vector>

#include <weft/executor/blocking.hpp>
#include <weft/executor/thread_pool.hpp>

namespace {

/// A task each, of a batch of 1000.
void pool_submit_and_get(benchmark::State& state) {
  weft::thread_pool pool{{.threads = 1, .name = "micro"}};
  std::vector<weft::future<void>> batch(1000);
  for (auto _ : state) {
    for (auto& one : batch) one = pool.submit([] {});
    for (auto& one : batch) one.get();
  }
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(pool_submit_and_get)->Unit(benchmark::kMicrosecond)->UseRealTime();

void blocking_round_trip(benchmark::State& state) {
  for (auto _ : state) weft::blocking([] {});
}
BENCHMARK(blocking_round_trip)->UseRealTime();

/// 1000 calls at once, each of which does nothing: what it costs that threads come, two a core at once and
/// then for calls that waited, or one for each call.
void blocking_burst(benchmark::State& state) {
  weft::set_blocking_options({.threads_eager = static_cast<std::size_t>(state.range(0))});
  std::vector<weft::future<void>> batch(1000);
  for (auto _ : state) {
    for (auto& one : batch) one = weft::start_blocking([] {});
    for (auto& one : batch) one.get();
  }
  state.counters["threads"] = static_cast<double>(weft::get_blocking_statistics().peak_threads);
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(blocking_burst)->Unit(benchmark::kMicrosecond)->UseRealTime()->Arg(0)->Arg(256);

}  // namespace
