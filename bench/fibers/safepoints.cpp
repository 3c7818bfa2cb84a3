// What it costs to be preemptible: the same code with and without compiler-inserted safepoints, on a fiber.

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include <weft/fiber/run.hpp>

#include "fibers/blocks.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

template <typename Measurement>
double in_a_run(Measurement measure) {
  double ns = 0;
  weft::run([&] { ns = measure(); });
  return ns;
}

double ns_per_block(void (*count_up)(std::size_t)) {
  constexpr std::size_t blocks = 50'000'000;
  return in_a_run([=] { return cpu_ns_per(blocks, [=] { count_up(blocks); }); });
}

double ns_per_sorted(void (*sort)(std::vector<std::uint32_t>&)) {
  constexpr std::size_t count = 500'000;
  std::vector<std::uint32_t> numbers(count);
  std::mt19937 random(1);
  for (auto& one : numbers) one = static_cast<std::uint32_t>(random());
  const double ns = in_a_run([&] { return cpu_ns_per(count, [&] { sort(numbers); }); });
  keep(numbers);
  return ns;
}

const add block{{
    .group = "fibers",
    .name = "safepoint in an empty loop, a round",
    .unit = "ns",
    .ours = [] { return ns_per_block(preemptible::count_up); },
    .baseline = "not preemptible",
    .peer = [] { return ns_per_block(plain::count_up); },
}};

const add sorted{{
    .group = "fibers",
    .name = "safepoints in std::sort, a number of 500k",
    .unit = "ns",
    .ours = [] { return ns_per_sorted(preemptible::sort); },
    .baseline = "not preemptible",
    .peer = [] { return ns_per_sorted(plain::sort); },
}};

}  // namespace
