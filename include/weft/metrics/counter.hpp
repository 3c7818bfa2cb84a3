#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <type_traits>

#include <weft/metrics/shard.hpp>

namespace weft::inline v1::metrics {

namespace detail {
/// One shard of a counter: whole amounts, which are the common ones, and broken ones apart.
struct alignas(cell_bytes) counter_cell {
  std::atomic<std::uint64_t> whole{0};
  std::atomic<double> part{0};
  std::atomic<std::uint64_t> refused{0};  ///< amounts that were negative or no number
};
}  // namespace detail

/// A number that only grows: requests served, bytes sent, seconds spent.
///
/// A handle, made by a registry: as cheap to copy as a pointer, valid as long as its registry. An empty
/// handle counts nothing. Amounts that are negative or not finite are left out, and counted in
/// weft_metrics_refused_values_total.
///
/// Thread-safety: all members, from any fiber, thread or signal handler. Never waits or allocates. Cost: one
/// relaxed atomic addition, to a cell that few other threads use.
class counter {
 public:
  counter() noexcept = default;
  explicit counter(detail::counter_cell* cells) noexcept : cells_(cells) {}

  void add() const noexcept { add(1U); }

  template <std::integral Amount>
    requires(!std::same_as<Amount, bool>)
  void add(Amount amount) const noexcept {
    if (cells_ == nullptr) return;
    detail::counter_cell& cell = cells_[detail::current_shard()];
    if constexpr (std::is_signed_v<Amount>) {
      if (amount < 0) {
        cell.refused.fetch_add(1, std::memory_order_relaxed);
        return;
      }
    }
    cell.whole.fetch_add(static_cast<std::uint64_t>(amount), std::memory_order_relaxed);
  }

  /// Amounts that need not be whole. Exact up to 2^53 of them; slower than whole ones.
  void add(double amount) const noexcept;

  /// The total: of everything that was added before, by happens-before, and maybe of more.
  double value() const noexcept;

 private:
  detail::counter_cell* cells_ = nullptr;  // shard_count() of them
};

}  // namespace weft::inline v1::metrics
