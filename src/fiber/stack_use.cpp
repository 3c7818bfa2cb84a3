#include <sys/mman.h>
#include <array>
#include <cstdint>

#include "fiber/stack.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr std::uintptr_t page_bytes = 4096;
constexpr std::size_t pages_at_once = 256;

}  // namespace

// Pages are resident from the top down; a probe that skipped some, or a page that was swapped out, leaves a
// gap. Hence from the bottom up.
std::size_t touched_bytes(const stack_record& stack) noexcept {
  const auto end = reinterpret_cast<std::uintptr_t>(&stack);
  auto at = reinterpret_cast<std::uintptr_t>(stack.bottom) / page_bytes * page_bytes;
  std::array<unsigned char, pages_at_once> resident;
  while (at < end) {
    const std::size_t left = (end - at + page_bytes - 1) / page_bytes;
    const std::size_t count = left < pages_at_once ? left : pages_at_once;
    if (mincore(reinterpret_cast<void*>(at), count * page_bytes, resident.data()) != 0) return 0;
    for (std::size_t i = 0; i < count; ++i, at += page_bytes) {
      if ((resident[i] & 1) != 0) return end > at ? end - at : 0;
    }
  }
  return 0;
}

}  // namespace weft::inline v1::detail
