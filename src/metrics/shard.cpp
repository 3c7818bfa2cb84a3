#include <weft/metrics/shard.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <thread>

namespace weft::inline v1::metrics::detail {
namespace {
std::atomic<unsigned> threads_seen{0};
}

std::size_t shard_count() noexcept {
  static const std::size_t count =
      std::min(shards_max, std::bit_ceil(2 * std::max<std::size_t>(1, std::thread::hardware_concurrency())));
  return count;
}

unsigned take_shard() noexcept {
  const unsigned number = threads_seen.fetch_add(1, std::memory_order_relaxed);
  own_shard = 1 + number % static_cast<unsigned>(shard_count());
  return own_shard;
}

}  // namespace weft::inline v1::metrics::detail
