#include "jobs/postgres/held_claims.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr std::size_t beats_between_looks = 30;

}  // namespace

held_claims::question::question(held_claims& of) : of_(of) {
  const std::lock_guard lock(of_.mutex_);
  number_ = ++of_.asked_;
  of_.open_.insert(number_);
}

held_claims::question::~question() {
  const std::lock_guard lock(of_.mutex_);
  of_.open_.erase(number_);
}

void held_claims::question::answered(worker_id owner, std::vector<claimed_job>& jobs) {
  const std::lock_guard lock(of_.mutex_);
  auto& known = of_.workers_[owner].known;
  std::erase_if(jobs, [&](const claimed_job& one) { return !known.emplace(one.id, one.fence).second; });
}

void held_claims::ended(const attempt_end& end) {
  const std::lock_guard lock(mutex_);
  if (const auto whose = workers_.find(end.owner); whose != workers_.end())
    whose->second.known.erase({end.id, end.fence});
}

void held_claims::forget(worker_id owner) {
  const std::lock_guard lock(mutex_);
  workers_.erase(owner);
}

void held_claims::look_soon(worker_id owner) {
  const std::lock_guard lock(mutex_);
  workers_[owner].beats_since_look = beats_between_looks;
}

bool held_claims::wants_look(worker_id owner, std::int64_t session) {
  const std::lock_guard lock(mutex_);
  holding& of = workers_[owner];
  const bool is_new = of.session != 0 && of.session != session;
  of.session = session;
  return ++of.beats_since_look >= beats_between_looks || is_new || !of.suspects.empty();
}

std::vector<held_claims::claim> held_claims::unknown(worker_id owner, const std::vector<claim>& in_database) {
  const std::lock_guard lock(mutex_);
  holding& of = workers_[owner];
  of.beats_since_look = 0;
  // What a question took that was open then may be known only when that is answered.
  const bool is_sure = open_.empty() || *open_.begin() > of.asked_then;
  std::vector<claim> found;
  std::set<claim> suspects;
  for (const claim& one : in_database) {
    if (of.known.contains(one)) continue;
    if (is_sure && of.suspects.contains(one)) {
      found.push_back(one);
    } else {
      suspects.insert(one);
    }
  }
  of.asked_then = asked_;
  of.suspects = std::move(suspects);
  return found;
}

}  // namespace weft::inline v1::jobs::postgres
