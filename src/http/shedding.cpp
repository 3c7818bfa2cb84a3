#include "http/shedding.hpp"

#include <algorithm>

namespace weft::inline v1::http::detail {

namespace {

/// So many requests make the mean; older ones count half as much, again and again.
constexpr std::size_t mean_of = 128;

}  // namespace

bool shedding::takes(steady_time now) noexcept {
  if (!walk_began_) {
    note_rest(now);
    walk_began_ = now;
    return true;
  }
  if (now - *walk_began_ <= delay_max_ || served_in_walk_ == 0 || !is_overloaded(now)) return true;
  ++turned_away_in_walk_;
  return false;
}

bool shedding::is_overloaded(steady_time now) const noexcept {
  return undone_.count() > 0 || now - at_rest_() >= interval;
}

steady_clock::duration shedding::end_walk(steady_time now) noexcept {
  const steady_clock::duration took = now - *walk_began_;
  walked_ += took;
  served_ += served_in_walk_;
  if (served_ > 0) {
    const steady_clock::duration mean = walked_ / static_cast<steady_clock::rep>(served_);
    const auto left = static_cast<steady_clock::rep>(turned_away_in_walk_);
    undone_ = std::min<steady_clock::duration>(undone_ + mean * left, interval);
  }
  if (served_ >= mean_of) {
    walked_ /= 2;
    served_ /= 2;
  }
  served_in_walk_ = turned_away_in_walk_ = 0;
  walk_began_ = now;
  return took;
}

void shedding::pause() noexcept {
  paused_ = *walk_began_;
  walk_began_.reset();
}

/// Nobody in line is no rest where the loop went on with other things.
void shedding::note_rest(steady_time until) noexcept {
  if (undone_.count() == 0 || at_rest_() < paused_) return;
  undone_ = std::max(undone_ - (until - paused_), steady_clock::duration::zero());
}

}  // namespace weft::inline v1::http::detail
