#include "jobs/postgres/claim_marks.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

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

claim_marks::question::question(claim_marks& of, worker_id owner, look how, steady_time begun)
    : of_(of), owner_(owner), how_(std::move(how)), begun_(begun), changes_(of.changes_) {
  of_.is_asked_ = true;
}

claim_marks::question::~question() {
  of_.is_asked_ = false;
  of_.came_.clear();
  of_.comes_ = INT64_MAX;
}

void claim_marks::question::answered(const answer& told) {
  looker& whose = of_.lookers_[owner_];
  if (how_.of != look::kind::marks) {
    whose.ended = steady_clock::now();
    whose.took = std::min<steady_time::duration>(whose.ended - begun_, look_max);
    whose.pages += told.pages;
    whose.is_part = whose.is_part || how_.passed_over;
  }
  if (how_.of == look::kind::slice) {
    // Of one that was full, or is the rest of such a one, nobody knows what all of it reads.
    const bool is_all = !whose.goes_on && !told.is_full;
    if (const auto found = of_.marks_.find(how_.in); is_all && found != of_.marks_.end())
      found->second.slices.was_read(how_.part, told.pages);
    whose.in = how_.in;
    whose.from = told.is_full ? told.taken.back().second : how_.part.to;
    whose.goes_on = told.is_full;
    whose.was_slice = true;
    return;
  }
  whose.was_slice = false;
  whose.was_full = told.is_full;
  whose.up_to = told.up_to;
  if (how_.of == look::kind::whole || how_.of == look::kind::due) {
    whose.is_cheap =
        !whose.is_part &&
        whose.pages <= cheap_pages + pages_of_a_job * static_cast<std::int64_t>(told.taken.size());
    whose.begin_round();
  }
  if (how_.of == look::kind::whole) whose.changes = changes_;
  if (told.has_all) {
    whose.expires = told.expires;
    whose.unroutable = told.unroutable;
  }
  promoted(told);
  for (const auto& [in, at] : told.taken) {
    passed_line& passed = of_.marks_[in];
    passed.mark = at;
    passed.slices.claimed(1, at);
  }
  for (const auto& [in, at] : of_.came_) of_.lower(in, at);
  if (told.seen_to) of_.since_ = std::min(*told.seen_to, of_.comes_);
  if (of_.marks_.size() > marks_max) of_.marks_.clear();
}

void claim_marks::question::promoted(const answer& told) {
  if (!told.promoted) return;
  for (auto& [in, passed] : of_.marks_)  // in any line
    passed.mark = std::min(passed.mark, {*told.promoted, INT64_MIN});
}

void claim_marks::looker::begin_round() {
  in = {"", INT64_MIN, INT64_MIN};
  from = {};
  pages = 0;
  is_part = false;
  goes_on = false;
}

/// Before the last job of the last claim, if there had been one?
bool claim_marks::looker::would_take_from(const line& one) const {
  return !was_full || std::ranges::find(up_to.before, one.queue) != up_to.before.end() ||
         (one.queue == up_to.queue && one.priority <= up_to.priority);
}

claim_marks::look claim_marks::next_look(worker_id owner, std::span<const std::string> queues,
                                         const std::function<bool(std::int64_t)>& is_routable) const {
  const auto found = lookers_.find(owner);
  if (found == lookers_.end() || !since_) return {look::kind::whole};
  const looker& whose = found->second;
  if (whose.is_cheap && (whose.changes != changes_ || !whose.was_full)) return {look::kind::whole};
  if (steady_clock::now() < next_time(owner) || (whose.goes_on && whose.was_slice))
    return {look::kind::marks};
  if (whose.is_cheap) return {look::kind::whole};
  bool passed_over = false;
  for (auto one = marks_.lower_bound(whose.in); one != marks_.end(); ++one) {
    const auto& [in, passed] = *one;
    if (std::ranges::find(queues, in.queue) == queues.end() || !is_routable(in.handler)) continue;
    if (!whose.would_take_from(in)) {
      passed_over = true;
      continue;
    }
    const auto part = passed.slices.next(in == whose.in ? whose.from : place(), passed.mark);
    if (part) return {look::kind::slice, in, *part, passed_over};
  }
  look all_due{look::kind::due};
  all_due.passed_over = passed_over;
  return all_due;
}

steady_time claim_marks::next_time(worker_id owner) const {
  const looker& whose = lookers_.at(owner);
  const bool is_at_once = whose.is_cheap && (whose.changes != changes_ || !whose.was_full);
  return is_at_once || whose.goes_on ? whose.ended : whose.ended + rest * whose.took;
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
      const auto& [in, passed] = *next;
      if (in.handler != handler) {
        handler = in.handler;
        all.push_back({queue, handler, first_priority, {}, behind_last_priority});
      }
      all.back().below = in.priority;
      all.push_back({queue, handler, in.priority, passed.mark, behind_last_priority});
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
  if (const auto found = marks_.find(in); found != marks_.end())
    found->second.mark = std::min(found->second.mark, at);
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
