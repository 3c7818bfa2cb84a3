#pragma once

#include <cstddef>

// Why counting scales: each metric has a cell for each of a few shards, a thread uses the cells of one.

namespace weft::inline v1::metrics::detail {

/// Cells of different threads are this far apart, so that they do not share a cache line.
inline constexpr std::size_t cell_bytes = 64;
/// More shards than this cost more memory than they save time.
inline constexpr std::size_t shards_max = 32;

/// How many shards there are: two for each core, rounded up to a power of two. Constant in a process.
std::size_t shard_count() noexcept;

/// 1 + the shard of this thread; 0 before it was asked for.
inline thread_local constinit unsigned own_shard = 0;
/// Gives this thread the next shard in turn, and returns what is then in own_shard.
unsigned take_shard() noexcept;

/// The shard of this thread, below shard_count(). Threads share one where there are more of them.
inline std::size_t current_shard() noexcept {
  unsigned taken = own_shard;
  if (taken == 0) [[unlikely]] {
    taken = take_shard();
  }
  return taken - 1;
}

}  // namespace weft::inline v1::metrics::detail
