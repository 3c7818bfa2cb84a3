#include "jobs/postgres/line_slices.hpp"

#include <algorithm>
#include <numeric>

namespace weft::inline v1::jobs::postgres {
namespace {

// 4,096 dead jobs are about 80 pages of the table and its index, and a millisecond.
constexpr std::size_t jobs_of_slice = 4096;
constexpr std::int64_t usual_pages = 80;
constexpr std::int64_t pages_max = 4 * usual_pages;
constexpr std::int64_t few_pages = usual_pages;
constexpr std::size_t cuts_max = 1024;  // with more jobs than these have room for, slices grow

}  // namespace

void line_slices::claimed(std::size_t jobs, line_place last) {
  since_cut_ += jobs;
  if (since_cut_ < jobs_of_slice || (!cuts_.empty() && last <= cuts_.back().at)) return;
  make_room();
  cuts_.push_back({last, usual_pages});
  since_cut_ = 0;
}

std::optional<line_slices::slice> line_slices::next(line_place from, line_place mark) const {
  if (from >= mark) return std::nullopt;
  const auto end = std::ranges::upper_bound(cuts_, from, {}, &cut::at);
  return slice{from, end == cuts_.end() ? mark : std::min(end->at, mark)};
}

void line_slices::was_read(const slice& one, std::int64_t pages) {
  auto end = std::ranges::lower_bound(cuts_, one.to, {}, &cut::at);
  const bool is_cut = end != cuts_.end() && end->at == one.to;
  if (pages > pages_max) {
    if (is_cut) end->pages = pages;
    if (cuts_.size() >= cuts_max) return;
    const auto at = middle(one);
    if (!at) return;
    if (is_cut) end->pages = pages / 2;
    cuts_.insert(end, {*at, pages / 2});
  } else if (is_cut) {
    end->pages = pages;
    if (end == cuts_.begin()) return;
    const auto before = std::prev(end);
    if (before->pages + pages > few_pages) return;
    if (before == cuts_.begin()) first_reach_ = usual_reach;
    end->pages += before->pages;
    cuts_.erase(before);
  }
}

std::optional<line_place> line_slices::middle(const slice& of) {
  line_place at;
  if (of.from.run_at == INT64_MIN) {
    if (of.to.run_at <= 0) return std::nullopt;
    at.run_at = of.to.run_at - std::min(first_reach_, of.to.run_at / 2);
    first_reach_ = std::min(first_reach_, INT64_MAX / 4) * 4;
  } else if (of.from.run_at < of.to.run_at - 1) {
    at.run_at = std::midpoint(of.from.run_at, of.to.run_at);
  } else {
    at = {of.to.run_at, std::midpoint(of.from.run_at < of.to.run_at ? INT64_MIN : of.from.id, of.to.id)};
  }
  return of.from < at && at < of.to ? std::optional(at) : std::nullopt;
}

void line_slices::make_room() {
  if (cuts_.size() < cuts_max) return;
  std::vector<cut> fewer;
  for (std::size_t n = 1; n < cuts_.size(); n += 2)
    fewer.push_back({cuts_[n].at, cuts_[n - 1].pages + cuts_[n].pages});
  cuts_ = std::move(fewer);
  first_reach_ = usual_reach;
}

}  // namespace weft::inline v1::jobs::postgres
