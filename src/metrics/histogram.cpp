#include <weft/metrics/histogram.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include <weft/core/error.hpp>
#include <weft/metrics/description.hpp>

namespace weft::inline v1::metrics {

std::vector<double> exponential_bounds(double first, double factor, std::size_t count) {
  if (!(first > 0) || !(factor > 1) || count == 0 || count > buckets_max) {
    throw error(
        errc::invalid_argument,
        "metrics::exponential_bounds: first must be above 0, factor above 1 and count between 1 and " +
            std::to_string(buckets_max));
  }
  std::vector<double> bounds;
  for (double bound = first; bounds.size() < count; bound *= factor) bounds.push_back(bound);
  if (!std::isfinite(bounds.back())) {
    throw error(errc::invalid_argument,
                "metrics::exponential_bounds: the last bound is beyond the largest double; give a smaller "
                "factor or count");
  }
  return bounds;
}

const std::vector<double>& duration_bounds() {
  static const std::vector<double> bounds{1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2,
                                          5e-2, 0.1,  0.2,  0.5,  1,    2,    5,    10,   20,   50,   100};
  return bounds;
}

std::uint64_t histogram_reading::count() const noexcept {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

double histogram_reading::quantile(double share) const noexcept {
  const std::uint64_t all = count();
  if (all == 0 || bounds.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double rank = std::clamp(share, 0.0, 1.0) * static_cast<double>(all);
  double below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here > 0 && below + here >= rank) {
      const double lower = i > 0 ? bounds[i - 1] : std::min(0.0, bounds[0]);
      return lower + (bounds[i] - lower) * std::max(0.0, rank - below) / here;
    }
    below += here;
  }
  return bounds.back();
}

namespace detail {

histogram_cells::histogram_cells(const std::vector<double>& bounds)
    : bounds_(bounds),
      row_lines_((bounds.size() + 3 + line_slots - 1) / line_slots),
      lines_(new line[shard_count() * row_lines_]) {}

void histogram_cells::record(double value) noexcept {
  const std::size_t shard = current_shard();
  if (!std::isfinite(value)) {
    slot(shard, refused_slot()).fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const auto bucket =
      static_cast<std::size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin());
  slot(shard, bucket).fetch_add(1, std::memory_order_relaxed);
  auto& sum = slot(shard, sum_slot());
  std::uint64_t now = sum.load(std::memory_order_relaxed);
  while (!sum.compare_exchange_weak(now, std::bit_cast<std::uint64_t>(std::bit_cast<double>(now) + value),
                                    std::memory_order_relaxed)) {
  }
}

histogram_reading histogram_cells::read() const {
  histogram_reading all{.bounds = bounds_, .counts = std::vector<std::uint64_t>(bounds_.size() + 1)};
  for (std::size_t shard = 0; shard < shard_count(); ++shard) {
    for (std::size_t i = 0; i < all.counts.size(); ++i) {
      all.counts[i] += slot(shard, i).load(std::memory_order_relaxed);
    }
    all.sum += std::bit_cast<double>(slot(shard, sum_slot()).load(std::memory_order_relaxed));
  }
  return all;
}

std::uint64_t histogram_cells::refused() const noexcept {
  std::uint64_t all = 0;
  for (std::size_t shard = 0; shard < shard_count(); ++shard) {
    all += slot(shard, refused_slot()).load(std::memory_order_relaxed);
  }
  return all;
}

}  // namespace detail

histogram_reading histogram::read() const { return cells_ == nullptr ? histogram_reading{} : cells_->read(); }

}  // namespace weft::inline v1::metrics
