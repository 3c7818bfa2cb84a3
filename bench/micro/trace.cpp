#include <benchmark/benchmark.h>

#include <memory>

#include <weft/trace/propagation.hpp>
#include <weft/trace/span.hpp>

namespace {

using namespace weft;

void span_without_recorder(benchmark::State& state) {
  int n = 0;
  for (auto _ : state) {
    trace::span step("step", {{"n", ++n}});
    benchmark::DoNotOptimize(step.is_recording());
  }
}
BENCHMARK(span_without_recorder);

void record_spans(benchmark::State& state, double sample_ratio) {
  const auto recorder = std::make_shared<trace::recorder>(
      trace::recorder_options{.spans_max = 1000, .sample_ratio = sample_ratio});
  const auto former = trace::exchange_recorder(recorder);
  int n = 0;
  for (auto _ : state) {
    trace::span step("step", {{"n", ++n}});
    benchmark::DoNotOptimize(step.is_recording());
  }
  trace::exchange_recorder(former);
}
void span_not_sampled(benchmark::State& state) { record_spans(state, 0); }
BENCHMARK(span_not_sampled);
void span_recorded(benchmark::State& state) { record_spans(state, 1); }
BENCHMARK(span_recorded);

const std::vector<trace::header> headers{
    {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    {"tracestate", "foo=1,bar=2"},
    {"baggage", "a=b,c=d%20e;ttl=3"}};

void trace_from_headers(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(trace::from_headers(headers).node());
}
BENCHMARK(trace_from_headers);

void trace_to_headers(benchmark::State& state) {
  const auto here = trace::from_headers(headers);
  for (auto _ : state) benchmark::DoNotOptimize(trace::to_headers(here).data());
}
BENCHMARK(trace_to_headers);

}  // namespace
