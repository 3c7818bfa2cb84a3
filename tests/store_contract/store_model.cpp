#include "store_contract/store_model.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>
#include <utility>

#include "jobs/limit_turn.hpp"
#include "store_contract/lose_worker.hpp"

namespace weft::jobs {
namespace {

constexpr std::array<const char*, 15> kinds{
    "push", "claim", "finish",   "cancel",     "retry",  "purge",     "rescue",       "remove_worker",
    "wait", "pause", "progress", "add_worker", "remove", "set_limit", "release_limit"};
constexpr std::array<const char*, 2> queues{"mail", "report"};
constexpr std::array<const char*, 2> handlers{"mail.welcome", "mail.farewell"};
constexpr int crashes_max = 2;
constexpr std::int64_t workers = 3;

bool is_waiting(job_state state) {
  return state == job_state::ready || state == job_state::scheduled || state == job_state::blocked;
}
bool has_ended(job_state state) { return !is_waiting(state) && state != job_state::running; }
bool is_given_up(job_state state) {
  return state == job_state::dead || state == job_state::cancelled || state == job_state::quarantined;
}

}  // namespace

std::string to_string(const random_step& step) {
  return std::string("{random_step::kind::") + kinds.at(static_cast<std::size_t>(step.what)) + ", " +
         std::to_string(step.pick) + ", " + std::to_string(step.amount) + "}";
}

std::optional<std::string> store_model::step(store& with, const random_step& one) {
  apply(with, one);
  return difference(with);
}

std::optional<std::string> store_model::difference(store& with) {
  compare(with);
  return found_;
}

void store_model::apply(store& with, const random_step& one) {
  switch (one.what) {
    case random_step::kind::push:
      push(with, one);
      break;
    case random_step::kind::claim:
      claim(with, one);
      break;
    case random_step::kind::finish:
      finish(with, one);
      break;
    case random_step::kind::cancel:
      cancel(with, one);
      break;
    case random_step::kind::retry:
      retry(with, one);
      break;
    case random_step::kind::purge:
      purge(with);
      break;
    case random_step::kind::remove:
      remove(with, one);
      break;
    case random_step::kind::rescue:
    case random_step::kind::remove_worker:
      lose_worker(with, one);
      break;
    case random_step::kind::set_limit:
      set_limit(with, one);
      break;
    case random_step::kind::release_limit:
      release_limit(with, one);
      break;
    case random_step::kind::pause:
      pause(with, one);
      break;
    case random_step::kind::progress:
      progress(with, one);
      break;
    case random_step::kind::add_worker:
      add_worker(with, one);
      break;
    case random_step::kind::wait:
      now_ += one.amount % 50;
      break;
  }
}

void store_model::push(store& with, const random_step& one) {
  new_job job;
  job.id = job_id{++last_id_};
  job.queue = queues.at(one.pick % queues.size());
  job.handler = handlers.at(one.amount / 3 % handlers.size());
  job.envelope = "envelope";
  job.priority = static_cast<int>(one.amount % 3) - 1;
  job.created = now();
  job.run_at = now() + std::chrono::microseconds(one.amount % 2 == 0 ? 0 : one.amount % 100);
  if (one.pick % 6 == 2) job.expires = now() + std::chrono::microseconds(one.amount % 60);
  give_unique_key(job, one);
  if (one.pick % 3 == 0) job.limit = limit_of(one);
  give_dependencies(job, one);
  const auto holder = job.unique ? holder_of(job.unique->key) : std::nullopt;
  const auto ids = with.push({&job, 1});
  expect(ids == std::vector<job_id>{job_id{holder.value_or(last_id_)}}, "which job a push comes to");
  if (holder) {
    gone_.insert(last_id_);
    return;
  }
  if (job.unique) holds_.push_back({last_id_, *job.unique});
  if (job.limit && limits_[job.limit->key].pinned)
    top_up(job.limit->key);
  else if (job.limit)
    change_limit(*job.limit);
  auto& kept = jobs_[last_id_];
  if (job.limit) kept.limit = job.limit->key;
  if (job.expires) kept.expires = job.expires->time_since_epoch().count();
  kept.queue = job.queue;
  kept.handler = job.handler;
  kept.priority = job.priority;
  wait_again(kept, job.run_at.time_since_epoch().count());
  for (const auto& parent : job.after) {
    const auto id = static_cast<std::int64_t>(parent.on);
    const auto state = jobs_.at(id).state;
    const bool over = has_ended(state) && (parent.even_if_given_up || state == job_state::done);
    if (!over) kept.waits_for.emplace(id, parent.even_if_given_up);
  }
  if (!kept.waits_for.empty()) kept.state = job_state::blocked;
}

limit_options store_model::limit_of(const random_step& one) {
  limit_options made{one.pick % 2 == 0 ? "tenant 1" : "tenant 2", 1 + static_cast<int>(one.amount % 7) / 3};
  if (one.amount % 2 == 0) {
    made.rate.count = 1;
    made.rate.period = std::chrono::microseconds(20 + 10 * (one.amount % 3));
    made.rate.burst = 1 + static_cast<int>(one.amount % 4) / 2;
  }
  return made;
}

void store_model::change_limit(const limit_options& to) {
  auto& limit = limits_[to.key];
  limit.max = to.max;
  const std::int64_t interval = to.rate.count == 0 ? 0 : 1000 * to.rate.period.count();
  if (limit.interval > 0 && interval > 0 && limit.interval != interval) {
    const std::int64_t missing = (missing_in(limit) * interval + limit.interval - 1) / limit.interval;
    limit.missing = std::min(missing, to.rate.burst * interval);
    limit.missing_at = now_;
  }
  limit.interval = interval;
  limit.burst = to.rate.burst;
  top_up(to.key);
}

void store_model::set_limit(store& with, const random_step& one) {
  const auto limit = limit_of(one);
  with.set_limit(limit, true, now());
  change_limit(limit);
  limits_[limit.key].pinned = true;
}

void store_model::release_limit(store& with, const random_step& one) {
  const auto found = limits_.find(limit_of(one).key);
  const bool was_pinned = found != limits_.end() && std::exchange(found->second.pinned, false);
  expect(with.release_limit(limit_of(one).key) == was_pinned, "whether a limit was set");
}

void store_model::give_dependencies(new_job& job, const random_step& one) const {
  if (one.pick % 4 != 1) return;
  for (const auto& [id, other] : jobs_) {
    if ((id + one.amount) % 5 == 0) job.after.push_back({job_id{id}, one.amount % 2 == 0});
  }
}

std::int64_t store_model::missing_in(const model_limit& limit) const {
  return std::max(limit.missing - 1000 * (now_ - limit.missing_at), std::int64_t{0});
}

std::int64_t store_model::tokens_in(const model_limit& limit) const {
  if (limit.interval == 0) return INT64_MAX;
  return std::max(limit.burst * limit.interval - missing_in(limit), std::int64_t{0}) / limit.interval;
}

std::int64_t store_model::places_in(const std::string& limit) const {
  return limits_.at(limit).max - std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
           return entry.second.limit == limit && entry.second.state == job_state::running;
         });
}

std::int64_t store_model::room_of(const std::string& limit) const {
  return std::min(places_in(limit), tokens_in(limits_.at(limit)));
}

void store_model::take_token(const std::string& limit) {
  auto& of = limits_.at(limit);
  of.missing = missing_in(of) + of.interval;
  of.missing_at = now_;
}

void store_model::give_token_back(const model_job& job) {
  if (job.limit.empty()) return;
  auto& of = limits_.at(job.limit);
  const std::int64_t kept = of.interval - 1000 * (now_ - job.started);
  if (kept <= 0) return;
  of.missing = std::max(missing_in(of) - kept, std::int64_t{0});
  of.missing_at = now_;
}

std::optional<moment> store_model::next_due() const {
  std::optional<std::int64_t> next;
  const auto consider = [&](std::int64_t at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [id, job] : jobs_) {
    if (job.state == job_state::scheduled) consider(job.run_at);
    if (is_waiting(job.state) && job.expires) consider(*job.expires + 1);
  }
  for (const auto& [key, limit] : limits_) {
    if (limit.wake_at) consider(*limit.wake_at);
  }
  return next ? std::optional(moment(std::chrono::microseconds(*next))) : std::nullopt;
}

void store_model::top_up(const std::string& limit) {
  if (limit.empty()) return;
  const std::int64_t room = room_of(limit);
  std::map<std::tuple<std::string, std::string>, std::int64_t> ready;
  std::vector<std::tuple<int, std::int64_t, std::int64_t>> blocked;
  for (const auto& [id, job] : jobs_) {
    if (job.limit != limit) continue;
    if (job.state == job_state::ready) ++ready[{job.queue, job.handler}];
    if (job.state == job_state::blocked && job.waits_for.empty())
      blocked.emplace_back(job.priority, job.run_at, id);
  }
  std::sort(blocked.begin(), blocked.end());
  for (const auto& one : blocked) {
    auto& job = jobs_.at(std::get<2>(one));
    auto& count = ready[{job.queue, job.handler}];
    if (count >= room) continue;
    job.state = job_state::ready;
    ++count;
  }
  const bool waits = std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
    const auto& job = entry.second;
    return job.limit == limit && job.state == job_state::blocked && job.waits_for.empty();
  });
  auto& of = limits_.at(limit);
  of.wake_at.reset();
  if (waits && places_in(limit) > 0 && tokens_in(of) == 0)
    of.wake_at = now_ + (missing_in(of) - (of.burst - 1) * of.interval + 999) / 1000;
}

void store_model::tell_children(std::int64_t id) {
  const bool done = jobs_.at(id).state == job_state::done;
  for (auto& [child_id, child] : jobs_) {
    const auto waits = child.waits_for.find(id);
    if (waits == child.waits_for.end() || (!done && !waits->second)) continue;
    child.waits_for.erase(waits);
    if (child.waits_for.empty()) child.state = child.run_at > now_ ? job_state::scheduled : job_state::ready;
  }
}

void store_model::give_unique_key(new_job& job, const random_step& one) const {
  if (one.amount % 5 > 1) return;
  const auto until = one.amount % 5 == 0 ? unique_until::ended : unique_until::claimed;
  job.unique = unique_key{"key " + std::to_string(one.pick % 3), until,
                          now() + std::chrono::microseconds(one.pick % 4 == 0 ? one.amount % 90 : 0)};
}

std::optional<std::int64_t> store_model::holder_of(const std::string& key) const {
  for (const auto& one : holds_) {
    if (one.of.key == key && (one.by_job || one.of.at_least > now())) return one.job;
  }
  return std::nullopt;
}

void store_model::free_key(std::int64_t job, bool ended) {
  for (auto& one : holds_) {
    if (one.job == job && (ended || one.of.until == unique_until::claimed)) one.by_job = false;
  }
}

void store_model::expire() {
  for (auto& [id, job] : jobs_) {
    if (!is_waiting(job.state) || !job.expires || *job.expires >= now_) continue;
    job.fence += 1;
    job.past.push_back(attempt_outcome::refused);
    end(id, job_state::dead);
  }
}

void store_model::fall_due() {
  for (auto& [id, job] : jobs_) {
    if (job.state == job_state::scheduled && job.run_at <= now_) job.state = job_state::ready;
  }
}

std::size_t store_model::unroutable_in(const std::string& queue, const claim_request& request) const {
  return static_cast<std::size_t>(std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
    const auto& job = entry.second;
    return job.state == job_state::ready && job.queue == queue && !request.routable(job.handler);
  }));
}

std::optional<std::int64_t> store_model::take_next(const std::string& queue, const claim_request& request) {
  std::int64_t& turn = turns_.try_emplace(queue, before_all_turns).first->second;
  std::optional<std::int64_t> best;
  for (const auto& [id, job] : jobs_) {
    if (job.state != job_state::ready || job.queue != queue || !request.routable(job.handler)) continue;
    const auto key = [&](std::int64_t of) {
      const auto& one_job = jobs_.at(of);
      const std::int64_t its = turn_of_limit(one_job.limit);
      return std::make_tuple(one_job.priority, its <= turn, its, one_job.run_at, of);
    };
    if (!best || key(id) < key(*best)) best = id;
  }
  if (best) turn = turn_of_limit(jobs_.at(*best).limit);
  return best;
}

void store_model::claim(store& with, const random_step& one) {
  claim_request request;
  request.owner = worker_id{1 + one.pick % workers};
  request.queues = {queues.at(one.amount % 2), queues.at((one.amount + 1) % 2)};
  request.count = 1 + one.amount % 4;
  request.now = now();
  request.routable = [&](std::string_view handler) { return one.pick % 5 != 0 || handler == handlers[0]; };
  claim_result claimed;
  const bool is_there = workers_.contains(static_cast<std::int64_t>(request.owner));
  try {
    claimed = with.claim(request);
    expect(is_there, "only a worker that is there claims");
  } catch (const error& refused) {
    if (refused.code() != errc::not_found) throw;
    return expect(!is_there, "a worker that is there may claim");
  }
  expire();
  fall_due();
  for (const auto& [key, limit] : limits_) {
    if (limit.wake_at && *limit.wake_at <= now_) top_up(key);
  }
  std::size_t index = 0;
  std::size_t unroutable = 0;
  std::set<std::string> limits;
  for (const auto& queue : request.queues) {
    if (index == request.count) break;
    if (paused_.contains(queue)) continue;
    unroutable += unroutable_in(queue, request);
    while (index < request.count) {
      const auto next = take_next(queue, request);
      if (!next) break;
      auto& job = jobs_.at(*next);
      limits.insert(job.limit);
      if (!job.limit.empty() && room_of(job.limit) <= 0) {
        job.state = job_state::blocked;
        continue;
      }
      job.state = job_state::running;
      if (!job.limit.empty()) take_token(job.limit);
      free_key(*next, false);
      job.fence += 1;
      job.started = now_;
      job.owner = static_cast<std::int64_t>(request.owner);
      if (index >= claimed.jobs.size()) return expect(false, "it claims job " + std::to_string(*next));
      const auto& got = claimed.jobs[index++];
      expect(got.id == job_id{*next}, "the next job is " + std::to_string(*next));
      expect(got.fence == job.fence && got.attempts == job.attempts && got.crashes == job.crashes &&
                 got.backoffs == job.backoffs && got.queue == job.queue && got.priority == job.priority,
             "what a claim says of job " + std::to_string(*next));
    }
  }
  expect(index == claimed.jobs.size(), "it claims " + std::to_string(index));
  expect(unroutable == claimed.unroutable, "how many jobs it does not know");
  for (const auto& limit : limits) top_up(limit);
  expect(claimed.next_due == next_due(), "when there is more to do");
}

void store_model::finish(store& with, const random_step& one) {
  const auto id = pick(one);
  if (!id) return;
  auto& job = jobs_.at(*id);
  attempt_end end;
  end.id = job_id{*id};
  end.owner = worker_id{job.owner};
  end.fence = job.fence - (one.amount % 11 == 0 ? 1 : 0);  // sometimes a late one
  end.next = static_cast<next_step>(one.amount % 6);
  end.now = now();
  end.run_at = now() + std::chrono::microseconds(one.amount % 3 == 0 ? 0 : one.amount % 70);
  end.counts = one.amount % 5 != 0;
  end.backs_off = one.amount % 7 == 0;
  end.crashed = one.amount % 13 == 0;
  if (one.amount % 4 == 0) end.result = "result " + std::to_string(one.amount);
  end.record.attempt = job.attempts + 1;
  end.record.outcome = end.next == next_step::done ? attempt_outcome::done : attempt_outcome::failed;
  const bool holds = job.state == job_state::running && one.amount % 11 != 0;
  expect(with.finish(end) == holds, "whether job " + std::to_string(*id) + " can be finished");
  if (!holds) return;
  if (end.next == next_step::released) {
    give_token_back(job);
  } else {
    job.past.push_back(end.record.outcome);
  }
  if (end.next == next_step::again || end.next == next_step::dead) job.attempts += end.counts ? 1 : 0;
  job.crashes += end.crashed ? 1 : 0;
  const bool waits = end.next == next_step::again || end.next == next_step::released;
  if (end.next == next_step::again) {
    job.backoffs += end.backs_off ? 1 : 0;
    job.run_at = end.run_at.time_since_epoch().count();
  }
  if (waits && !job.cancel_requested) {
    wait_again(job, job.run_at);
    return top_up(job.limit);
  }
  if (waits || end.next == next_step::cancelled) return this->end(*id, job_state::cancelled);
  if (end.next == next_step::done) {
    job.result = end.result;
    return this->end(*id, job_state::done);
  }
  this->end(*id, end.next == next_step::dead ? job_state::dead : job_state::quarantined);
}

void store_model::cancel(store& with, const random_step& one) {
  const auto id = pick(one);
  if (!id) return;
  auto& job = jobs_.at(*id);
  const bool possible = is_waiting(job.state) || job.state == job_state::running;
  expect(with.cancel(job_id{*id}, now()) == possible, "whether it can be cancelled");
  if (is_waiting(job.state)) {
    end(*id, job_state::cancelled);
  } else if (possible) {
    job.cancel_requested = true;
  }
}

void store_model::retry(store& with, const random_step& one) {
  const auto id = pick(one);
  if (!id) return;
  auto& job = jobs_.at(*id);
  const bool possible = is_given_up(job.state);
  const auto own = std::find_if(holds_.begin(), holds_.end(), [&](const auto& it) { return it.job == *id; });
  const auto holder = own == holds_.end() ? std::nullopt : holder_of(own->of.key);
  const bool has_expired = possible && job.expires && *job.expires < now_;
  const bool is_taken = possible && !has_expired && holder && *holder != *id;
  try {
    expect(with.retry(job_id{*id}, now()) == possible && !is_taken && !has_expired,
           "whether it can be retried");
  } catch (const error& refused) {
    if (refused.code() != errc::already_exists && refused.code() != errc::refused) throw;
    expect(refused.code() == errc::refused ? has_expired : is_taken, "why it cannot be retried");
  }
  if (!possible || is_taken || has_expired) return;
  if (own != holds_.end()) own->by_job = true;
  job.attempts = job.backoffs = job.crashes = 0;
  wait_again(job, now_);
}

void store_model::purge(store& with) {
  std::size_t count = 0;
  std::set<std::int64_t> orphans;
  for (auto one = jobs_.begin(); one != jobs_.end();) {
    const bool old = one->second.finished && *one->second.finished < now_ - 20 &&
                     one->second.state != job_state::quarantined;
    if (old) gone_.insert(one->first);
    for (const auto& [id, job] : jobs_) {
      if (old && job.waits_for.contains(one->first)) orphans.insert(id);
    }
    count += old ? 1 : 0;
    one = old ? jobs_.erase(one) : std::next(one);
  }
  for (const std::int64_t id : orphans) end(id, job_state::cancelled);
  std::erase_if(holds_, [this](const auto& one) {
    return gone_.contains(one.job) && !one.by_job && one.of.at_least <= now();
  });
  expect(with.purge(now() - std::chrono::microseconds(20), now(), 10'000) == count, "how many it purges");
}

void store_model::remove(store& with, const random_step& one) {
  const auto id = pick(one);
  if (!id) return;
  const bool possible = jobs_.at(*id).state != job_state::running;
  expect(with.remove(job_id{*id}, {}, now()) == possible, "whether it can be deleted");
  if (!possible) return;
  if (is_waiting(jobs_.at(*id).state)) end(*id, job_state::cancelled);
  std::set<std::int64_t> orphans;
  for (const auto& [other, job] : jobs_) {
    if (job.waits_for.contains(*id)) orphans.insert(other);
  }
  gone_.insert(*id);
  jobs_.erase(*id);
  for (const std::int64_t orphan : orphans) end(orphan, job_state::cancelled);
  std::erase_if(holds_, [this, id](const auto& one_hold) {
    return one_hold.job == *id && !one_hold.by_job && one_hold.of.at_least <= now();
  });
}

void store_model::add_worker(store& with, const random_step& one) {
  const std::int64_t id = 1 + one.pick % workers;
  if (workers_.contains(id)) return;
  with.add_worker({.id = worker_id{id}, .host = "h", .pid = id, .build = "b"});
  workers_.insert(id);
}

void store_model::lose_worker(store& with, const random_step& one) {
  const std::int64_t owner = 1 + one.pick % workers;
  const bool crashed = one.what == random_step::kind::rescue;
  const bool is_there = workers_.erase(owner) > 0;
  std::size_t count = 0;
  for (auto& [id, job] : jobs_) {
    if (job.state != job_state::running || job.owner != owner) continue;
    ++count;
    if (crashed) {
      job.crashes += 1;
      job.past.push_back(attempt_outcome::crashed);
    }
    if (crashed && job.crashes >= crashes_max) {
      end(id, job_state::quarantined);
    } else if (job.cancel_requested) {
      end(id, job_state::cancelled);
    } else {
      wait_again(job, job.run_at);
      top_up(job.limit);
    }
  }
  if (!crashed) return with.remove_worker(worker_id{owner}, now());
  expect(store_contract_support::lose_worker(with, worker_id{owner}, now(), crashes_max) ==
             (is_there ? std::optional(count) : std::nullopt),
         "how many jobs a dead worker held");
}

void store_model::progress(store& with, const random_step& one) {
  const auto id = pick(one);
  if (!id) return;
  auto& job = jobs_.at(*id);
  const job_progress shown{one.amount, 1000, "so far"};
  const bool holds = job.state == job_state::running;
  expect(with.progress(job_id{*id}, worker_id{job.owner}, job.fence, shown) == holds,
         "who may show progress");
  if (holds) job.progress = shown;
}

void store_model::pause(store& with, const random_step& one) {
  const std::string queue = queues.at(one.pick % queues.size());
  const bool paused = one.amount % 3 == 0;
  with.set_paused(queue, paused);
  if (paused) {
    paused_.insert(queue);
  } else {
    paused_.erase(queue);
  }
}

void store_model::end(std::int64_t id, job_state state) {
  auto& job = jobs_.at(id);
  const bool had_a_turn = job.state == job_state::ready || job.state == job_state::running;
  free_key(id, true);
  job.waits_for.clear();
  job.progress.reset();
  job.state = state;
  job.finished = now_;
  job.owner = 0;
  job.cancel_requested = false;
  tell_children(id);
  if (had_a_turn) top_up(job.limit);
}

void store_model::wait_again(model_job& job, std::int64_t run_at) {
  job.progress.reset();
  job.state = run_at > now_ ? job_state::scheduled : job_state::ready;
  job.run_at = run_at;
  job.finished.reset();
  job.owner = 0;
  job.cancel_requested = false;
}

std::optional<std::int64_t> store_model::pick(const random_step& one) const {
  if (jobs_.empty()) return std::nullopt;
  return std::next(jobs_.begin(), static_cast<std::ptrdiff_t>(one.pick % jobs_.size()))->first;
}

void store_model::expect(bool same, const std::string& what) {
  if (!same && !found_) found_ = what;
}

void store_model::compare(store& with) {
  for (const auto& [id, job] : jobs_) compare_job(with, id, job);
  for (const std::int64_t id : gone_)
    expect(!with.find(job_id{id}), "job " + std::to_string(id) + " is gone");
  const auto listed = with.list({.queue = {}, .state = {}, .before = {}, .limit = 10'000});
  expect(std::equal(listed.begin(), listed.end(), jobs_.rbegin(), jobs_.rend(),
                    [](const auto& one, const auto& other) {
                      return one.id == job_id{other.first} && one.state == other.second.state;
                    }),
         "the list");
  compare_stats(with);
  compare_workers(with);
  compare_limits(with);
}

void store_model::compare_limits(store& with) {
  std::set<std::string> listed;
  for (const auto& one : with.limits("", 10)) {
    listed.insert(one.is.key);
    const auto known = limits_.find(one.is.key);
    if (known == limits_.end()) return expect(false, "there is no limit " + one.is.key);
    const auto held_back = std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
      const auto& job = entry.second;
      return job.limit == one.is.key && job.state == job_state::blocked && job.waits_for.empty();
    });
    expect(one.is.max == known->second.max, "how many of limit " + one.is.key + " run at a time");
    expect(one.pinned == known->second.pinned, "whether somebody has set limit " + one.is.key);
    expect(one.running == one.is.max - places_in(one.is.key), "how many of limit " + one.is.key + " run");
    expect(one.held_back == held_back, "how many limit " + one.is.key + " holds back");
  }
  for (const auto& [key, limit] : limits_)
    expect(!limit.pinned || listed.contains(key), "limit " + key + " that somebody has set is there");
}

void store_model::compare_job(store& with, std::int64_t id, const model_job& job) {
  const std::string name = "job " + std::to_string(id) + ": ";
  const auto found = with.find(job_id{id});
  if (!found) return expect(false, name + "it is there");
  expect(found->state == job.state, name + "it is " + std::string(jobs::to_string(job.state)) + ", not " +
                                        std::string(jobs::to_string(found->state)));
  const bool waits = is_waiting(job.state);
  std::vector<job_id> waits_for;
  for (const auto& [other, end_is_enough] : job.waits_for) waits_for.push_back(job_id{other});
  expect(found->waits_for == waits_for, name + "what it waits for");
  expect(found->limit == job.limit, name + "its limit");
  expect(found->handler == job.handler, name + "its closure");
  expect(!waits || found->run_at.time_since_epoch().count() == job.run_at, name + "its moment");
  expect(found->finished.has_value() == job.finished.has_value() &&
             (!job.finished || found->finished->time_since_epoch().count() == *job.finished),
         name + "when it ended");
  expect(found->attempts == job.attempts, name + "its attempts are " + std::to_string(job.attempts));
  expect(found->backoffs == job.backoffs, name + "its backoffs");
  expect(found->crashes == job.crashes, name + "its crashes");
  expect(found->fence == job.fence, name + "its fence");
  expect(static_cast<std::int64_t>(found->owner.value_or(worker_id{})) == job.owner, name + "its owner");
  expect(found->result == job.result, name + "its result");
  expect(found->progress == job.progress, name + "its progress");
  expect(found->cancel_requested == job.cancel_requested, name + "whether its end was asked for");
  expect(std::equal(found->past.begin(), found->past.end(), job.past.begin(), job.past.end(),
                    [](const auto& one, const auto& other) { return one.outcome == other; }),
         name + "its attempts of the past");
}

void store_model::compare_workers(store& with) {
  const auto present = with.workers();
  expect(std::equal(present.begin(), present.end(), workers_.begin(), workers_.end(),
                    [](const auto& one, std::int64_t id) { return one.id == worker_id{id}; }),
         "which workers are there");
  for (const auto& one : present) {
    const auto holds = std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
      return entry.second.state == job_state::running && worker_id{entry.second.owner} == one.id;
    });
    expect(one.running == holds, "how many jobs worker " + jobs::to_string(one.id) + " holds");
  }
}

void store_model::compare_stats(store& with) {
  std::map<std::string, std::map<job_state, std::int64_t>> expected;
  for (const auto& [id, job] : jobs_) ++expected[job.queue][job.state];
  for (const auto& of : with.stats()) {
    auto& counts = expected[of.queue];
    expect(of.scheduled == counts[job_state::scheduled] && of.ready == counts[job_state::ready] &&
               of.running == counts[job_state::running] && of.done == counts[job_state::done] &&
               of.dead == counts[job_state::dead] && of.cancelled == counts[job_state::cancelled] &&
               of.quarantined == counts[job_state::quarantined] && of.blocked == counts[job_state::blocked],
           "the counts of queue " + of.queue);
    expect(of.paused == paused_.contains(of.queue), "whether it is paused: " + of.queue);
    expected.erase(of.queue);
  }
  expect(expected.empty(), "a queue without counts");
}

}  // namespace weft::jobs
