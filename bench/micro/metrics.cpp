#include <benchmark/benchmark.h>

#include <string>

#include <weft/metrics/registry.hpp>

namespace {

using namespace weft::metrics;

registry& all() {
  static registry made;
  return made;
}

void metrics_counter_add(benchmark::State& state) {
  const counter one = all().get_counter({.name = "micro_total", .help = "Micro"});
  for (auto _ : state) one.add();
}
BENCHMARK(metrics_counter_add)->ThreadRange(1, 4);

void metrics_counter_add_broken(benchmark::State& state) {
  const counter one = all().get_counter({.name = "micro_broken_total", .help = "Micro"});
  for (auto _ : state) one.add(0.5);
}
BENCHMARK(metrics_counter_add_broken)->ThreadRange(1, 4);

void metrics_gauge_set(benchmark::State& state) {
  const gauge one = all().get_gauge({.name = "micro_level", .help = "Micro"});
  for (auto _ : state) one.set(1);
}
BENCHMARK(metrics_gauge_set)->ThreadRange(1, 4);

void metrics_gauge_add(benchmark::State& state) {
  const gauge one = all().get_gauge({.name = "micro_level", .help = "Micro"});
  for (auto _ : state) one.add();
}
BENCHMARK(metrics_gauge_add)->ThreadRange(1, 4);

void metrics_histogram_record(benchmark::State& state) {
  const histogram one = all().get_histogram({.name = "micro_seconds", .help = "Micro"});
  double value = 1e-6;
  for (auto _ : state) {
    one.record(value);
    value = value > 100 ? 1e-6 : value * 1.7;
  }
}
BENCHMARK(metrics_histogram_record)->ThreadRange(1, 4);

void metrics_family_with(benchmark::State& state) {
  const auto some = all().get_counters({.name = "micro_jobs_total", .help = "Micro", .labels = {"queue"}});
  for (auto _ : state) some.with({"mail"}).add();
}
BENCHMARK(metrics_family_with)->ThreadRange(1, 4);

/// 1000 counters of one family.
void metrics_snapshot(benchmark::State& state) {
  registry many;
  const auto some = many.get_counters({.name = "micro_jobs_total", .help = "Micro", .labels = {"queue"}});
  for (int i = 0; i < 1000; ++i) some.with({std::to_string(i)}).add();
  for (auto _ : state) benchmark::DoNotOptimize(many.take_snapshot());
}
BENCHMARK(metrics_snapshot)->Unit(benchmark::kMicrosecond);

}  // namespace
