#include "fiber/stack_memory.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>

#include <weft/core/fault_point.hpp>

namespace weft::inline v1::detail {

namespace {

constexpr int madv_guard_install = 102;  // Linux 6.13; not in the headers of Debian 12
constexpr std::size_t ranges_at_once = 256;

/// madvise on all ranges, by one call where the kernel allows it for the caller's own process (6.13).
/// Returns how many were done; of the others the first one failed.
std::size_t advise_all(std::span<const iovec> ranges, int advice) noexcept {
  std::size_t done = 0;
  const int self = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  while (self >= 0 && done < ranges.size()) {
    const std::size_t count = std::min(ranges.size() - done, ranges_at_once);
    long moved = syscall(SYS_process_madvise, self, ranges.data() + done, count, advice, 0);
    if (moved <= 0) break;
    while (done < ranges.size() && moved >= static_cast<long>(ranges[done].iov_len)) {
      moved -= static_cast<long>(ranges[done++].iov_len);
    }
    if (moved != 0) break;
  }
  if (self >= 0) close(self);
  while (done < ranges.size() && madvise(ranges[done].iov_base, ranges[done].iov_len, advice) == 0) ++done;
  return done;
}

bool guard_lightly(char* base, std::size_t count, std::size_t stride) noexcept {
  std::array<iovec, ranges_at_once> ranges;
  while (count > 0) {
    const std::size_t now = std::min(count, ranges_at_once);
    for (std::size_t i = 0; i < now; ++i, base += stride) ranges[i] = {base, guard_bytes};
    if (advise_all({ranges.data(), now}, madv_guard_install) != now) return false;
    count -= now;
  }
  return true;
}

bool guard_by_mprotect(char* base, std::size_t count, std::size_t stride) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    if (mprotect(base + i * stride, guard_bytes, PROT_NONE) != 0) return false;
  }
  return true;
}

void write_canaries(char* base, std::size_t count, std::size_t stride) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    auto* const end = reinterpret_cast<std::uint64_t*>(base + i * stride + guard_bytes);
    std::fill(end - canary_words, end, canary_word);
  }
}

}  // namespace

char* map_stacks(std::size_t bytes) noexcept {
  if (fault_errno("weft.fiber.stack.mmap") != 0) return nullptr;
  void* const base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  madvise(base, bytes, MADV_NOHUGEPAGE);
  return static_cast<char*>(base);
}

void unmap_stacks(char* base, std::size_t bytes) noexcept { munmap(base, bytes); }

bool guard_stacks(char* base, std::size_t count, std::size_t stride, stack_guard guard) noexcept {
  switch (guard) {
    case stack_guard::lightweight:
      return fault_errno("weft.fiber.stack.madvise") == 0 && guard_lightly(base, count, stride);
    case stack_guard::mprotect:
      return fault_errno("weft.fiber.stack.mprotect") == 0 && guard_by_mprotect(base, count, stride);
    case stack_guard::canary:
      write_canaries(base, count, stride);
      return true;
  }
  return false;
}

void give_back(std::span<const iovec> ranges) noexcept {
  if (fault_errno("weft.fiber.stack.madvise") == 0) advise_all(ranges, MADV_DONTNEED);
}

bool canary_is_whole(const std::uint64_t* canary) noexcept {
  std::uint64_t differences = 0;
  for (std::size_t i = 0; i < canary_words; ++i) differences |= canary[i] ^ canary_word;
  return differences == 0;
}

}  // namespace weft::inline v1::detail
