// Compiled twice, with WEFT_BENCH_BLOCKS as the namespace; see blocks.hpp.
#include "fibers/blocks.hpp"

#include <algorithm>

namespace weft::bench::WEFT_BENCH_BLOCKS {
namespace {

/// A type of this file, so that the linker does not take one std::sort for both.
struct less {
  bool operator()(std::uint32_t a, std::uint32_t b) const { return a < b; }
};

}  // namespace

void count_up(std::size_t rounds) {
  for (std::size_t n = 0; n < rounds; ++n) asm volatile("" : "+r"(n));
}

void sort(std::vector<std::uint32_t>& numbers) { std::sort(numbers.begin(), numbers.end(), less()); }

}  // namespace weft::bench::WEFT_BENCH_BLOCKS
