#include <benchmark/benchmark.h>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>

namespace {

using namespace weft;

constexpr key_spec number_spec{.name = "micro.number", .wire = wire_policy::job, .log = true};
const key<std::int64_t> number{number_spec};
constexpr key_spec text_spec{.name = "micro.text", .wire = wire_policy::job, .log = true};
const key<std::string> text{text_spec};

void context_find(benchmark::State& state) {
  const scoped_value bound(number, 1);
  for (auto _ : state) benchmark::DoNotOptimize(number.find());
}
BENCHMARK(context_find);

void context_scoped_value(benchmark::State& state) {
  for (auto _ : state) {
    const scoped_value bound(number, 1);
    benchmark::DoNotOptimize(number.find());
  }
}
BENCHMARK(context_scoped_value);

void context_capture_and_attach(benchmark::State& state) {
  const scoped_value bound(number, 1);
  for (auto _ : state) {
    const auto captured = context::capture();
    const auto here = captured.attach();
    benchmark::DoNotOptimize(captured.node());
  }
}
BENCHMARK(context_capture_and_attach)->ThreadRange(1, 2);

void context_to_wire(benchmark::State& state) {
  const auto full = context().with(number, 42).with(text, "some text of ordinary length");
  for (auto _ : state) benchmark::DoNotOptimize(full.to_wire(wire_policy::job));
}
BENCHMARK(context_to_wire);

void context_from_wire(benchmark::State& state) {
  const auto bytes =
      context().with(number, 42).with(text, "some text of ordinary length").to_wire(wire_policy::job);
  for (auto _ : state) benchmark::DoNotOptimize(context::from_wire(bytes).node());
}
BENCHMARK(context_from_wire);

void context_cancel_scope(benchmark::State& state) {
  for (auto _ : state) {
    cancel_scope scope;
    benchmark::DoNotOptimize(&scope);
  }
}
BENCHMARK(context_cancel_scope);

void context_checkpoint(benchmark::State& state) {
  const cancel_scope scope;
  for (auto _ : state) checkpoint();
}
BENCHMARK(context_checkpoint);

}  // namespace
