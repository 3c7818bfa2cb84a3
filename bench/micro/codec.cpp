#include <benchmark/benchmark.h>

#include <string>

#include <weft/codec/describe.hpp>
#include <weft/wire/binary.hpp>
#include <weft/wire/json.hpp>

namespace micro {

struct order {
  std::int64_t id = 0;
  std::string customer;
  std::optional<std::string> note;
  std::vector<std::int64_t> items;
};
WEFT_DESCRIBE(order, id, customer, note, items);

const order sample{42, "somebody@example.org", "leave it at the door", {1, 2, 3, 4, 5}};

}  // namespace micro

namespace {

using namespace weft;
using micro::order;
using micro::sample;

void codec_to_json(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(wire::to_json(sample));
}
BENCHMARK(codec_to_json);

void codec_from_json(benchmark::State& state) {
  const auto text = wire::to_json(sample);
  for (auto _ : state) benchmark::DoNotOptimize(wire::from_json<order>(text));
}
BENCHMARK(codec_from_json);

void codec_to_binary(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(wire::to_binary(sample));
}
BENCHMARK(codec_to_binary);

void codec_from_binary(benchmark::State& state) {
  const auto data = wire::to_binary(sample);
  for (auto _ : state) benchmark::DoNotOptimize(wire::from_binary<order>(data));
}
BENCHMARK(codec_from_binary);

}  // namespace
