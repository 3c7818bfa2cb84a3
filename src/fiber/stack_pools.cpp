#include "fiber/stack_pools.hpp"

#include <algorithm>
#include <bit>

namespace weft::inline v1::detail {
namespace {

constexpr std::size_t bytes_min = 16 * 1024;

std::size_t class_of(std::size_t stack_bytes) noexcept {
  return static_cast<std::size_t>(std::bit_width(std::max(stack_bytes, bytes_min) - 1));
}

}  // namespace

stack_pools::stack_pools(std::size_t default_bytes, std::size_t idle_max)
    : idle_max_(idle_max), default_(default_bytes, idle_max) {}

stack_pool& stack_pools::pool_for(std::size_t stack_bytes) {
  if (stack_bytes == 0) return default_;
  auto& pool = by_class_[class_of(stack_bytes)];
  if (pool == nullptr) {
    used_.reserve(used_.size() + 1);
    pool = std::make_unique<stack_pool>(std::size_t{1} << class_of(stack_bytes), idle_max_);
    used_.push_back(pool.get());
  }
  return *pool;
}

bool stack_pools::fits(const stack_record& stack, std::size_t stack_bytes) const noexcept {
  if (stack_bytes == 0) return stack.pool == &default_;
  return stack.pool == by_class_[class_of(stack_bytes)].get();
}

bool stack_pools::is_guard(const void* address) const noexcept {
  return default_.is_guard(address) || std::any_of(by_class_.begin(), by_class_.end(), [&](const auto& pool) {
           return pool != nullptr && pool->is_guard(address);
         });
}

void stack_pools::add_to(loop_figures& figures) const noexcept {
  const auto add = [&figures](const stack_pool& pool) {
    figures.stacks += pool.made();
    figures.stacks_idle += pool.hot();
    figures.stacks_in_use += pool.made() - pool.hot() - pool.cold();
    figures.stack_touched = std::max(figures.stack_touched, pool.touched_peak());
  };
  add(default_);
  for (const stack_pool* const pool : used_) add(*pool);
}

}  // namespace weft::inline v1::detail
