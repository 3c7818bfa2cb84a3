#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

#include "fiber/sanitizer.hpp"
#include "fiber/stack.hpp"
#include "fiber/stack_memory.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr std::size_t slab_bytes_wanted = 64 * 1024 * 1024;
constexpr std::size_t slab_stacks_max = 1024;
constexpr std::size_t guard_block = 256;  // stacks that get their guards in one call
// Tops at different offsets within a page, or all stacks share the same cache sets.
constexpr std::size_t colours = 16;
constexpr std::size_t colour_bytes = 64;
// One stack in that many is looked at when it comes back; what lies deeper than that is given back.
constexpr unsigned releases_between_looks = 256;
constexpr std::size_t depth_kept = 16 * 1024;
constexpr std::size_t cooled_at_once = 256;
constexpr std::size_t cooled_a_turn = 1024;  // about half a millisecond

std::size_t whole_pages(std::size_t bytes) noexcept {
  return (bytes + guard_bytes - 1) / guard_bytes * guard_bytes;
}

}  // namespace

struct stack_pool::slab {
  slab* older;
  char* base;
  std::size_t guarded = 0;
  std::size_t carved = 0;
};

stack_pool::stack_pool(std::size_t stack_bytes, std::size_t idle_max, stack_guard guard)
    : stack_bytes_(whole_pages(std::max<std::size_t>(stack_bytes, 16 * 1024))),
      idle_max_(idle_max),
      guard_(guard),
      slab_stacks_(std::clamp<std::size_t>(slab_bytes_wanted / stack_bytes_, 1, slab_stacks_max)) {}

stack_pool::~stack_pool() {
  for (stack_record* stack = newest_; stack != nullptr; stack = stack->older) sanitizer::forget(*stack);
  while (slabs_ != nullptr) {
    slab* const oldest = slabs_->older;
    unmap_stacks(slabs_->base, slab_stacks_ * stack_bytes_);
    delete slabs_;
    slabs_ = oldest;
  }
}

// New stacks.

bool stack_pool::add_slab() noexcept {
  const std::size_t bytes = slab_stacks_ * stack_bytes_;
  char* const base = map_stacks(bytes);
  if (base == nullptr) return false;
  slab* const made = new (std::nothrow) slab{slabs_, base};
  if (made == nullptr) {
    unmap_stacks(base, bytes);
    errno = ENOMEM;
    return false;
  }
  slabs_ = made;
  return true;
}

bool stack_pool::add_guards(slab& in) noexcept {
  // A canary costs a page, so it comes with the stack; the others cost a system call.
  const std::size_t wanted = guard_ == stack_guard::canary ? 1 : guard_block;
  const std::size_t count = std::min(wanted, slab_stacks_ - in.guarded);
  if (!guard_stacks(in.base + in.guarded * stack_bytes_, count, stack_bytes_, guard_)) return false;
  in.guarded += count;
  return true;
}

stack_record* stack_pool::carve() noexcept {
  if ((slabs_ == nullptr || slabs_->carved == slab_stacks_) && !add_slab()) return nullptr;
  slab& from = *slabs_;
  if (from.carved == from.guarded && !add_guards(from)) return nullptr;
  char* const base = from.base + from.carved * stack_bytes_;
  ++from.carved;
  ++made_;
  return make_record(base);
}

stack_record* stack_pool::make_record(char* base) noexcept {
  const std::size_t colour = reinterpret_cast<std::uintptr_t>(base) / stack_bytes_ % colours;
  char* const top = base + stack_bytes_ - colour * colour_bytes;
  char* const place = top - (sizeof(stack_record) + 15) / 16 * 16;
  sanitizer::forget_marks(place, sizeof(stack_record));
  auto* const stack = new (place) stack_record;
  stack->pool = this;
  stack->bottom = base + guard_bytes;
  stack->bytes = static_cast<std::size_t>(reinterpret_cast<char*>(stack) - stack->bottom);
  if (guard_ == stack_guard::canary) {
    stack->canary = reinterpret_cast<const std::uint64_t*>(stack->bottom) - canary_words;
  }
  sanitizer::introduce(*stack);
  return stack;
}

// Reuse.

stack_record* stack_pool::acquire() noexcept {
  if (stack_record* const stack = newest_) {
    newest_ = stack->older;
    (newest_ != nullptr ? newest_->newer : oldest_) = nullptr;
    hot_low_ = std::min(hot_low_, --hot_count_);
    return stack;
  }
  if (cold_.empty()) return carve();
  char* const base = cold_.back();
  cold_.pop_back();
  return make_record(base);
}

void stack_pool::release(stack_record& stack) noexcept {
  if (++released_ % releases_between_looks == 0) give_back_depth(stack);
  stack.newer = nullptr;
  stack.older = newest_;
  (newest_ != nullptr ? newest_->newer : oldest_) = &stack;
  newest_ = &stack;
  ++hot_count_;
}

void stack_pool::give_back_depth(stack_record& stack) noexcept {
  const std::size_t touched = touched_bytes(stack);
  touched_peak_ = std::max(touched_peak_, touched);
  if (touched <= depth_kept + guard_bytes) return;
  auto* const bottom = const_cast<char*>(stack.bottom);
  const iovec deep{bottom, (stack.bytes - depth_kept) / guard_bytes * guard_bytes};
  give_back({&deep, 1});
}

// Giving back.

void stack_pool::tidy_excess(steady_time now) noexcept {
  if (now < next_tidy_) return;
  // Only what was free all the time since the last tidying; the first time, nothing is known.
  const bool known = next_tidy_ != steady_time{};
  const std::size_t unneeded = known && hot_low_ > idle_max_ ? hot_low_ - idle_max_ : 0;
  cool(std::min(unneeded, cooled_a_turn));
  if (unneeded > cooled_a_turn) {
    hot_low_ -= cooled_a_turn;
    return;  // the rest in the next turns
  }
  hot_low_ = hot_count_;
  next_tidy_ = now + tidy_interval;
}

void stack_pool::cool(std::size_t count) noexcept {
  std::array<iovec, cooled_at_once> ranges;
  try {
    cold_.reserve(cold_.size() + count);
  } catch (const std::bad_alloc&) {
    return;
  }
  while (count > 0) {
    const std::size_t now = std::min(count, cooled_at_once);
    for (std::size_t i = 0; i < now; ++i) {
      stack_record* const stack = oldest_;
      oldest_ = stack->newer;
      (oldest_ != nullptr ? oldest_->older : newest_) = nullptr;
      char* const bottom = const_cast<char*>(stack->bottom);
      sanitizer::forget(*stack);
      ranges[i] = {bottom, stack_bytes_ - guard_bytes};
      cold_.push_back(bottom - guard_bytes);
    }
    give_back({ranges.data(), now});
    hot_count_ -= now;
    count -= now;
  }
}

bool stack_pool::is_guard(const void* address) const noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (const slab* one = slabs_; one != nullptr; one = one->older) {
    const auto base = reinterpret_cast<std::uintptr_t>(one->base);
    if (at >= base && at < base + slab_stacks_ * stack_bytes_)
      return (at - base) % stack_bytes_ < guard_bytes;
  }
  return false;
}

}  // namespace weft::inline v1::detail
