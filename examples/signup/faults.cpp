#include "faults.hpp"

namespace signup {
namespace {

/// SplitMix64 (Steele, Lea, Flood, 2014): spreads close numbers far apart.
std::uint64_t mix(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

}  // namespace

fault fault_of(std::uint64_t seed, unsigned percent, std::int64_t job, int attempt) noexcept {
  if (attempt != 1) return fault::none;
  const std::uint64_t drawn = mix(seed ^ mix(static_cast<std::uint64_t>(job)));
  if (drawn % 100 >= percent) return fault::none;
  switch (drawn / 100 % 3) {
    case 0:
      return fault::error;
    case 1:
      return fault::time_out;
    default:
      return fault::crash;
  }
}

}  // namespace signup
