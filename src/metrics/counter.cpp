#include <weft/metrics/counter.hpp>

#include <cmath>

namespace weft::inline v1::metrics {

void counter::add(double amount) const noexcept {
  if (cells_ == nullptr) return;
  detail::counter_cell& cell = cells_[detail::current_shard()];
  if (!std::isfinite(amount) || amount < 0) {
    cell.refused.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  cell.part.fetch_add(amount, std::memory_order_relaxed);
}

double counter::value() const noexcept {
  if (cells_ == nullptr) return 0;
  std::uint64_t whole = 0;
  double parts = 0;
  for (std::size_t i = 0; i < detail::shard_count(); ++i) {
    whole += cells_[i].whole.load(std::memory_order_relaxed);
    parts += cells_[i].part.load(std::memory_order_relaxed);
  }
  return static_cast<double>(whole) + parts;
}

}  // namespace weft::inline v1::metrics
