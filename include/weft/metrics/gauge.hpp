#pragma once

#include <atomic>

#include <weft/metrics/shard.hpp>

namespace weft::inline v1::metrics {

namespace detail {
struct alignas(cell_bytes) gauge_cell {
  std::atomic<double> value{0};
};
}  // namespace detail

/// A number that goes up and down: connections open, bytes held. Any double, NaN included.
///
/// One atomic for all threads, because `set` means one value. Where every task would move it (what waits,
/// what runs), rather let a source read the figure when a snapshot is taken.
///
/// A handle, made by a registry: as cheap to copy as a pointer, valid as long as its registry. An empty
/// handle does nothing.
///
/// Thread-safety: all members, from any fiber, thread or signal handler. Never waits or allocates.
class gauge {
 public:
  gauge() noexcept = default;
  explicit gauge(detail::gauge_cell* cell) noexcept : cell_(cell) {}

  void set(double value) const noexcept {
    if (cell_ != nullptr) cell_->value.store(value, std::memory_order_relaxed);
  }
  void add(double amount = 1) const noexcept {
    if (cell_ != nullptr) cell_->value.fetch_add(amount, std::memory_order_relaxed);
  }
  void sub(double amount = 1) const noexcept { add(-amount); }
  /// Sets it to `value` if that is more: for peaks.
  void raise_to(double value) const noexcept;

  double value() const noexcept {
    return cell_ == nullptr ? 0 : cell_->value.load(std::memory_order_relaxed);
  }

 private:
  detail::gauge_cell* cell_ = nullptr;
};

}  // namespace weft::inline v1::metrics
