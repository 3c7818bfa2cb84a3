#include <weft/metrics/gauge.hpp>

namespace weft::inline v1::metrics {

void gauge::raise_to(double value) const noexcept {
  if (cell_ == nullptr) return;
  double now = cell_->value.load(std::memory_order_relaxed);
  while (now < value && !cell_->value.compare_exchange_weak(now, value, std::memory_order_relaxed)) {
  }
}

}  // namespace weft::inline v1::metrics
