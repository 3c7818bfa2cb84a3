#include "jobs/claimed_ahead.hpp"

#include <algorithm>
#include <utility>

namespace weft::inline v1::jobs {

void claimed_ahead::note_end(steady_time now) {
  constexpr int weight = 8;  // of what is known already
  const duration last = std::min<duration>(now - std::exchange(last_end_, now), slowest);
  pace_ += (last - pace_) / weight;
}

std::size_t claimed_ahead::window(steady_time now) const {
  if (now < paused_until_) return 0;
  return std::min(most_, static_cast<std::size_t>(soon / std::max(pace_, duration(1))));
}

claimed_job claimed_ahead::take() {
  claimed_job first = std::move(waiting_.front().job);
  waiting_.pop_front();
  return first;
}

steady_time claimed_ahead::late_at() const {
  return waiting_.empty() ? no_deadline : waiting_.front().since + too_long;
}

std::vector<claimed_job> claimed_ahead::take_late(steady_time now) {
  std::vector<claimed_job> late;
  while (late_at() <= now) late.push_back(take());
  if (late.empty()) return late;
  // Where that is no exception it is not tried often.
  pause_ =
      now - paused_until_ < pause_ ? std::min<duration>(2 * pause_, longest_pause) : duration(first_pause);
  paused_until_ = now + pause_;
  pace_ = slowest;
  return late;
}

std::vector<claimed_job> claimed_ahead::take_all() {
  std::vector<claimed_job> all;
  while (!empty()) all.push_back(take());
  return all;
}

std::vector<claimed_job> claimed_ahead::take_if(const std::function<bool(const claimed_job& one)>& is_it) {
  std::vector<claimed_job> taken;
  std::deque<entry> kept;
  for (auto& one : waiting_) {
    if (is_it(one.job)) {
      taken.push_back(std::move(one.job));
    } else {
      kept.push_back(std::move(one));
    }
  }
  waiting_ = std::move(kept);
  return taken;
}

}  // namespace weft::inline v1::jobs
