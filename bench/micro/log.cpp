#include <benchmark/benchmark.h>

#include <weft/context/context.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>

namespace {

using namespace weft;

constexpr key_spec request_spec{.name = "micro.request", .log = true};
const key<std::string> request{request_spec};

void log_below_the_level(benchmark::State& state) {
  int n = 0;
  for (auto _ : state) log::debug("not written", {{"n", ++n}});
}
BENCHMARK(log_below_the_level);

void log_to_a_collector(benchmark::State& state) {
  const scoped_value bound(request, "r1");
  log::collector collector({.records_max = 1000});
  int n = 0;
  for (auto _ : state) {
    log::info("mail sent", {{"to", "somebody@example.org"}, {"n", ++n}});
    if (n % 1000 == 0) collector.take();
  }
}
BENCHMARK(log_to_a_collector);

void log_format_text(benchmark::State& state) {
  log::record record;
  record.message = "mail sent";
  record.fields = {{"to", std::string("somebody@example.org")}, {"bytes", std::int64_t{12}}};
  record.context = {{"app.request", "r1"}};
  std::string out;
  for (auto _ : state) {
    out.clear();
    log::format_text(record, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(log_format_text);

}  // namespace
