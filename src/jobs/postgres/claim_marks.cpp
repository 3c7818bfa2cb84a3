#include "jobs/postgres/claim_marks.hpp"

#include <algorithm>
#include <chrono>

#include "jobs/micros.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr std::size_t marks_max = 256;  // with more lines than that, whole looks are the better ones
constexpr int rest = 20;                // as many times as a whole look took
// One that takes longer has waited for something else as well: a connection, a stopped process.
constexpr std::chrono::milliseconds look_max{250};
constexpr std::int64_t cheap_pages = 512;
constexpr std::int64_t pages_of_a_job = 16;
constexpr std::int64_t first_priority = INT32_MIN;
constexpr std::int64_t behind_last_priority = std::int64_t{INT32_MAX} + 1;

}  // namespace

claim_marks::question::question(claim_marks& of, worker_id owner, bool is_whole, steady_time begun)
    : of_(of), owner_(owner), is_whole_(is_whole), begun_(begun), changes_(of.changes_) {
  of_.is_asked_ = true;
}

claim_marks::question::~question() {
  of_.is_asked_ = false;
  of_.came_.clear();
  of_.comes_ = INT64_MAX;
}

void claim_marks::question::answered(const answer& told) {
  looker& whose = of_.lookers_[owner_];
  whose.was_full = told.is_full;
  if (is_whole_) {
    whose.ended = steady_clock::now();
    whose.took = std::min<steady_time::duration>(whose.ended - begun_, look_max);
    whose.is_cheap =
        told.pages <= cheap_pages + pages_of_a_job * static_cast<std::int64_t>(told.taken.size());
    whose.changes = changes_;
  }
  if (told.has_all) {
    whose.expires = told.expires;
    whose.unroutable = told.unroutable;
  }
  if (told.promoted) {  // behind what had been seen to, in any line
    const place from{of_.since_ ? *of_.since_ + 1 : INT64_MIN, INT64_MIN};
    for (auto& [in, mark] : of_.marks_) mark = std::min(mark, from);
  }
  for (const auto& [in, at] : told.taken) of_.marks_[in] = at;
  for (const auto& [in, at] : of_.came_) of_.lower(in, at);
  if (told.seen_to) of_.since_ = std::min(*told.seen_to, of_.comes_);
  if (of_.marks_.size() > marks_max) of_.marks_.clear();
}

bool claim_marks::wants_whole(worker_id owner) const {
  const auto found = lookers_.find(owner);
  if (found == lookers_.end() || !since_) return true;
  const looker& whose = found->second;
  if (whose.is_cheap && (whose.changes != changes_ || !whose.was_full)) return true;
  return steady_clock::now() >= whose.ended + rest * whose.took;
}

steady_time claim_marks::next_whole(worker_id owner) const {
  const looker& whose = lookers_.at(owner);
  return whose.is_cheap ? whose.ended : whose.ended + rest * whose.took;
}

bool claim_marks::is_cheap(worker_id owner) const {
  const auto found = lookers_.find(owner);
  return found == lookers_.end() || found->second.is_cheap;
}

std::vector<claim_marks::stretch> claim_marks::stretches(std::span<const std::string> queues) const {
  std::vector<stretch> all;
  for (std::size_t n = 0; n < queues.size(); ++n) {
    const auto queue = static_cast<std::int64_t>(n + 1);
    auto next = marks_.lower_bound({queues[n], INT64_MIN, INT64_MIN});
    std::int64_t handler = INT64_MIN;
    for (; next != marks_.end() && next->first.queue == queues[n]; ++next) {
      const auto& [in, mark] = *next;
      if (in.handler != handler) {
        handler = in.handler;
        all.push_back({queue, handler, first_priority, {}, behind_last_priority});
      }
      all.back().below = in.priority;
      all.push_back({queue, handler, in.priority, mark, behind_last_priority});
    }
  }
  return all;
}

std::optional<moment> claim_marks::next_expiry(worker_id owner) const {
  const auto found = lookers_.find(owner);
  return found == lookers_.end() ? std::nullopt : found->second.expires;
}

std::size_t claim_marks::unroutable(worker_id owner) const {
  const auto found = lookers_.find(owner);
  return found == lookers_.end() ? 0 : found->second.unroutable;
}

void claim_marks::lower(const line& in, place at) {
  if (const auto mark = marks_.find(in); mark != marks_.end()) mark->second = std::min(mark->second, at);
}

void claim_marks::came(const line& in, place at) {
  lower(in, at);
  if (!is_asked_) return;
  const auto [one, is_new] = came_.try_emplace(in, at);
  if (!is_new) one->second = std::min(one->second, at);
}

void claim_marks::comes(moment at) {
  const std::int64_t before = micros(at) - 1;
  if (since_) since_ = std::min(*since_, before);
  comes_ = is_asked_ ? std::min(comes_, before) : INT64_MAX;
}

}  // namespace weft::inline v1::jobs::postgres
