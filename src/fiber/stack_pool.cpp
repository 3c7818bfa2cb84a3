#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

#include "fiber/sanitizer.hpp"
#include "fiber/stack.hpp"

namespace weft::detail {
namespace {

constexpr std::size_t slab_stacks = 1024;
constexpr std::size_t guard_block = 256;  // stacks that get their guards in one call
constexpr std::size_t guard_bytes = 4096;
constexpr int madv_guard_install = 102;  // Linux 6.13; not in the headers of Debian 12
// Tops at different offsets within a page, or all stacks share the same cache sets.
constexpr std::size_t colours = 16;
constexpr std::size_t colour_bytes = 64;

/// Lightweight guards for `count` stacks from `base` on, by one call. False: not to be had.
bool guard_by_block(char* base, std::size_t count, std::size_t stack_bytes) noexcept {
  std::array<iovec, guard_block> ranges;
  for (std::size_t i = 0; i < count; ++i) ranges[i] = {base + i * stack_bytes, guard_bytes};
  std::size_t done = 0;
  const int self = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  while (done < count) {
    const long moved =
        syscall(SYS_process_madvise, self, ranges.data() + done, count - done, madv_guard_install, 0);
    if (moved <= 0 || moved % static_cast<long>(guard_bytes) != 0) break;
    done += static_cast<std::size_t>(moved) / guard_bytes;
  }
  if (self >= 0) close(self);
  for (; done < count; ++done) {
    if (madvise(base + done * stack_bytes, guard_bytes, madv_guard_install) != 0) return false;
  }
  return true;
}

bool guard_by_mprotect(char* base, std::size_t count, std::size_t stack_bytes) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    if (mprotect(base + i * stack_bytes, guard_bytes, PROT_NONE) != 0) return false;
  }
  return true;
}

}  // namespace

struct stack_pool::slab {
  slab* older;
  char* base;
  std::size_t guarded = 0;
  std::size_t carved = 0;
};

stack_pool::stack_pool(std::size_t stack_bytes)
    : stack_bytes_((std::max<std::size_t>(stack_bytes, 16 * 1024) + guard_bytes - 1) / guard_bytes *
                   guard_bytes) {}

stack_pool::~stack_pool() {
  for (stack_record* stack = free_; stack != nullptr; stack = stack->next_free) sanitizer::forget(*stack);
  while (slabs_ != nullptr) {
    slab* const oldest = slabs_->older;
    munmap(slabs_->base, slab_stacks * stack_bytes_);
    delete slabs_;
    slabs_ = oldest;
  }
}

bool stack_pool::add_slab() noexcept {
  const std::size_t bytes = slab_stacks * stack_bytes_;
  void* const base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (base == MAP_FAILED) return false;
  madvise(base, bytes, MADV_NOHUGEPAGE);
  slab* const made = new (std::nothrow) slab{slabs_, static_cast<char*>(base)};
  if (made == nullptr) {
    munmap(base, bytes);
    errno = ENOMEM;
    return false;
  }
  slabs_ = made;
  return true;
}

bool stack_pool::add_guards(slab& in) noexcept {
  char* const base = in.base + in.guarded * stack_bytes_;
  if (!guard_by_block(base, guard_block, stack_bytes_) &&
      !guard_by_mprotect(base, guard_block, stack_bytes_)) {
    return false;
  }
  in.guarded += guard_block;
  return true;
}

stack_record* stack_pool::carve() noexcept {
  if ((slabs_ == nullptr || slabs_->carved == slab_stacks) && !add_slab()) return nullptr;
  slab& from = *slabs_;
  if (from.carved == from.guarded && !add_guards(from)) return nullptr;
  char* const base = from.base + from.carved * stack_bytes_;
  ++from.carved;
  char* const top = base + stack_bytes_ - (made_ % colours) * colour_bytes;
  ++made_;
  auto* const stack = new (top - (sizeof(stack_record) + 15) / 16 * 16) stack_record;
  stack->pool = this;
  stack->bottom = base + guard_bytes;
  stack->bytes = static_cast<std::size_t>(reinterpret_cast<char*>(stack) - stack->bottom);
  return stack;
}

stack_record* stack_pool::acquire() noexcept {
  if (free_ == nullptr) return carve();
  stack_record* const stack = free_;
  free_ = stack->next_free;
  return stack;
}

void stack_pool::release(stack_record& stack) noexcept {
  stack.next_free = free_;
  free_ = &stack;
}

bool stack_pool::is_guard(const void* address) const noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (const slab* one = slabs_; one != nullptr; one = one->older) {
    const auto base = reinterpret_cast<std::uintptr_t>(one->base);
    if (at >= base && at < base + slab_stacks * stack_bytes_) return (at - base) % stack_bytes_ < guard_bytes;
  }
  return false;
}

}  // namespace weft::detail
