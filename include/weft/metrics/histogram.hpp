#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <weft/metrics/shard.hpp>

namespace weft::inline v1::metrics {

/// `count` bounds, each `factor` times the one before. Throws weft::error (invalid_argument) unless
/// first > 0, factor > 1 and 1 <= count <= buckets_max.
std::vector<double> exponential_bounds(double first, double factor, std::size_t count);
/// For durations in seconds: 1, 2 and 5 of each decade from 10 us to 50 s, then 100 s.
const std::vector<double>& duration_bounds();

/// What a histogram counted, as plain data.
struct histogram_reading {
  std::vector<double> bounds = {};         ///< upper bounds, inclusive, ascending; the last bucket has none
  std::vector<std::uint64_t> counts = {};  ///< of each bucket alone; one more than bounds
  double sum = 0;                          ///< of all values

  /// All values: the sum of counts.
  std::uint64_t count() const noexcept;
  /// Where the value at `share` of all (0.5: the median) lies: between the bounds of its bucket, evenly
  /// spread. NaN when empty; the highest bound for values above it.
  double quantile(double share) const noexcept;
};

namespace detail {

/// The cells of one histogram. Each shard has a row: a count for each bucket, the sum as the bits of a
/// double, and how many values were refused; rows start on cache lines of their own.
class histogram_cells {
 public:
  explicit histogram_cells(const std::vector<double>& bounds);
  void record(double value) noexcept;
  histogram_reading read() const;
  std::uint64_t refused() const noexcept;

 private:
  static constexpr std::size_t line_slots = cell_bytes / sizeof(std::atomic<std::uint64_t>);
  struct alignas(cell_bytes) line {
    std::atomic<std::uint64_t> slots[line_slots] = {};
  };
  std::atomic<std::uint64_t>& slot(std::size_t shard, std::size_t index) const noexcept {
    return lines_[shard * row_lines_ + index / line_slots].slots[index % line_slots];
  }
  std::size_t sum_slot() const noexcept { return bounds_.size() + 1; }
  std::size_t refused_slot() const noexcept { return bounds_.size() + 2; }

  const std::vector<double> bounds_;
  const std::size_t row_lines_;
  const std::unique_ptr<line[]> lines_;
};

}  // namespace detail

/// How values are spread: how long requests take, how large messages are. Counts for each value the
/// bucket it falls into; a value equal to a bound belongs below it.
///
/// A handle, made by a registry: as cheap to copy as a pointer, valid as long as its registry. An empty
/// handle records nothing. Values that are not finite are left out, and counted in
/// weft_metrics_refused_values_total.
///
/// Thread-safety: all members, from any fiber, thread or signal handler. Never waits or allocates. Cost: a
/// binary search in the bounds and two atomic additions to cells that few other threads use.
class histogram {
 public:
  histogram() noexcept = default;
  explicit histogram(detail::histogram_cells* cells) noexcept : cells_(cells) {}

  void record(double value) const noexcept {
    if (cells_ != nullptr) cells_->record(value);
  }
  /// In seconds, whatever its period.
  template <typename Rep, typename Period>
  void record(std::chrono::duration<Rep, Period> value) const noexcept {
    record(std::chrono::duration<double>(value).count());
  }

  /// What was recorded before, by happens-before, is in it. A value recorded meanwhile may be in its
  /// bucket and not yet in the sum, or the reverse.
  histogram_reading read() const;

 private:
  detail::histogram_cells* cells_ = nullptr;
};

}  // namespace weft::inline v1::metrics
