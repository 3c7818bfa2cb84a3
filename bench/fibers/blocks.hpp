#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// The same code twice: as it is, and compiled with a safepoint in every basic block (weft_preemptible).

namespace weft::bench {

namespace plain {
/// A loop of one basic block that does nothing but count.
void count_up(std::size_t rounds);
/// Sorts with std::sort.
void sort(std::vector<std::uint32_t>& numbers);
}  // namespace plain

namespace preemptible {
void count_up(std::size_t rounds);
void sort(std::vector<std::uint32_t>& numbers);
}  // namespace preemptible

}  // namespace weft::bench
