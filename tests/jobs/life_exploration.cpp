#include "jobs/life_exploration.hpp"

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include <weft/core/error.hpp>

namespace weft::jobs {
namespace {

constexpr moment now{std::chrono::seconds(1)};
constexpr int crashes_max = 2;
constexpr job_id probe{9};  // pushed to see whether a key is free

job_id id_of(std::size_t job) { return job_id{static_cast<std::int64_t>(job) + 1}; }

bool is_ended(job_state state) {
  return state == job_state::done || state == job_state::dead || state == job_state::cancelled ||
         state == job_state::quarantined;
}

new_job job_of(const exploration& rules, std::size_t number, job_id id) {
  new_job made;
  made.id = id;
  made.queue = "q";
  made.handler = "h";
  made.created = made.run_at = now;
  if (rules.unique) made.unique = unique_key{"key", *rules.unique, {}};
  if (rules.limit > 0) made.limit = limit_options{"limit", rules.limit, {}};
  if (rules.second_after_first && number == 1) made.after.push_back({id_of(0), true});
  return made;
}

}  // namespace

std::string to_string(const life_action& action) {
  constexpr std::array names{"push",  "start", "claim", "succeed", "fail",   "again", "beat",
                             "crash", "leave", "sight", "rescue",  "cancel", "retry"};
  return std::string(names[static_cast<std::size_t>(action.what)]) + " " + std::to_string(action.who);
}

life_world::life_world(const exploration& rules) : rules_(rules), store_(open_store("memory:")) {}

void life_world::check(bool holds, const std::string& what) const {
  if (!holds) throw std::logic_error(what);
}

bool life_world::lives(worker_id id) const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [&](const process& one) { return one.alive && one.id == id; });
}

life_world::row& life_world::row_of(worker_id id) {
  return *std::find_if(rows_.begin(), rows_.end(), [&](const row& one) { return one.id == id; });
}

std::vector<life_action> life_world::possible() const {
  std::vector<life_action> all;
  for (std::size_t job = 0; job < count; ++job) {
    const job_truth& one = jobs_[job];
    const bool in_turn = job == 0 || jobs_[0].at != phase::absent;
    if (one.at == phase::absent && in_turn) all.push_back({life_step::push, job});
    if (one.at != phase::absent && rules_.cancels_left > 0) all.push_back({life_step::cancel, job});
    if (one.at == phase::ended && rules_.retries_left > 0) all.push_back({life_step::retry, job});
  }
  for (std::size_t who = 0; who < count; ++who) {
    const process& one = workers_[who];
    if (!one.alive) {
      const bool in_turn = who == 0 || workers_[0].starts > 0;  // the first process is nobody special
      if (one.starts < rules_.starts_max && in_turn) all.push_back({life_step::start, who});
      continue;
    }
    if (one.runs) {
      all.push_back({life_step::succeed, who});
      if (rules_.retries_left > 0) all.push_back({life_step::fail, who});
      if (rules_.agains_left > 0) all.push_back({life_step::again, who});
    } else {
      all.push_back({life_step::claim, who});
    }
    all.push_back({life_step::beat, who});
    all.push_back({life_step::leave, who});
    if (rules_.crashes_left > 0) all.push_back({life_step::crash, who});
  }
  for (std::size_t index = 0; index < rows_.size(); ++index) {
    const row& one = rows_[index];
    if (one.seen) all.push_back({life_step::rescue, index});
    const bool may_be_seen = one.there && !one.seen && (!lives(one.id) || rules_.false_alarms_left > 0);
    if (may_be_seen) all.push_back({life_step::sight, index});
  }
  return all;
}

void life_world::take(const life_action& action) {
  switch (action.what) {
    case life_step::push:
      return push(action.who);
    case life_step::start: {
      process& one = workers_[action.who];
      one.alive = true;
      one.runs.reset();
      one.id = worker_id{static_cast<std::int64_t>(action.who * 10) + ++one.starts};
      rows_.push_back({.id = one.id});
      return join(rows_.back());
    }
    case life_step::claim:
      return claim(workers_[action.who]);
    case life_step::succeed:
      return finish(workers_[action.who], next_step::done);
    case life_step::fail:
      return finish(workers_[action.who], next_step::dead);
    case life_step::again:
      --rules_.agains_left;
      return finish(workers_[action.who], next_step::again);
    case life_step::beat:
      return beat(workers_[action.who]);
    case life_step::crash:
      --rules_.crashes_left;
      workers_[action.who].alive = false;
      workers_[action.who].runs.reset();
      return;
    case life_step::leave:
      return leave(workers_[action.who]);
    case life_step::sight:
      return sight(rows_[action.who]);
    case life_step::rescue:
      return rescue(rows_[action.who]);
    case life_step::cancel:
      return cancel(action.who);
    case life_step::retry:
      return retry(action.who);
  }
}

bool life_world::key_is_held(std::size_t by) const {
  const job_truth& other = jobs_[by];
  if (!rules_.unique || other.at == phase::absent || other.at == phase::ended) return false;
  return *rules_.unique == unique_until::ended || !other.was_claimed;
}

void life_world::push(std::size_t job) {
  const auto pushed = job_of(rules_, job, id_of(job));
  const job_id kept = store_->push({&pushed, 1}).front();
  const bool held = key_is_held(1 - job);
  check(kept == id_of(held ? 1 - job : job),
        held ? "a key that is held did not keep another job out" : "a key that is free kept a job out");
  if (held) return;
  jobs_[job].at = phase::waits;
  jobs_[job].depends = rules_.second_after_first && job == 1 && jobs_[0].at != phase::ended;
}

void life_world::claim(process& by) {
  claim_request request;
  request.owner = by.id;
  request.queues = {"q"};
  request.now = now;
  claim_result result;
  try {
    result = store_->claim(request);
  } catch (const error& refused) {
    check(refused.code() == errc::not_found && !row_of(by.id).there, refused.what());
    join(row_of(by.id));
    return;
  }
  check(row_of(by.id).there, "who is no worker claimed");
  const auto running = [&] {
    return std::count_if(jobs_.begin(), jobs_.end(), [](const auto& one) { return one.at == phase::runs; });
  };
  const bool has_room = rules_.limit == 0 || running() < rules_.limit;
  const bool some_wait = std::any_of(jobs_.begin(), jobs_.end(),
                                     [](const auto& one) { return one.at == phase::waits && !one.depends; });
  if (result.jobs.empty()) {
    check(!has_room || !some_wait, "a job that waits was not given to who asked");
    return;
  }
  const auto job = static_cast<std::size_t>(result.jobs.front().id) - 1;
  job_truth& of = jobs_.at(job);
  check(of.at == phase::waits && !of.depends, "a job was claimed that did not wait for a worker");
  check(has_room, "more jobs run than the limit says");
  check(result.jobs.front().fence > of.fence, "a claim number did not grow");
  of.at = phase::runs;
  of.holder = by.id;
  of.fence = result.jobs.front().fence;
  of.was_claimed = true;
  by.runs = attempt{job, of.fence};
}

void life_world::end(std::size_t job) {
  jobs_[job].at = phase::ended;
  jobs_[job].holder.reset();
  jobs_[job].to_end = false;
  if (job == 0) jobs_[1].depends = false;
}

void life_world::finish(process& by, next_step next) {
  const attempt ended = *std::exchange(by.runs, std::nullopt);
  job_truth& of = jobs_[ended.job];
  const bool holds = of.at == phase::runs && of.holder == by.id && of.fence == ended.fence;
  attempt_end end_of;
  end_of.id = id_of(ended.job);
  end_of.owner = by.id;
  end_of.fence = ended.fence;
  end_of.next = next;
  end_of.now = end_of.run_at = now;
  check(store_->holds(end_of.id, by.id, ended.fence) == holds,
        "who holds the job is not who claimed it last");
  const bool taken = store_->finish(end_of);
  check(taken == holds, taken ? "an end with an overtaken claim number was taken"
                              : "the end of who holds the job was not taken");
  if (!taken) return;
  if (next == next_step::again && !of.to_end) {
    of.at = phase::waits;
    of.holder.reset();
    return;
  }
  of.done += next == next_step::done ? 1 : 0;
  end(ended.job);
}

void life_world::join(row& of) {
  store_->add_worker({.id = of.id, .host = "h", .pid = 1, .build = "b", .beat = of.beat});
  ++of.beat;
  of.there = true;
}

void life_world::beat(process& by) {
  try {
    const auto to_end = store_->beat(by.id);
    check(row_of(by.id).there, "a worker that was taken for dead beats on");
    ++row_of(by.id).beat;
    for (std::size_t job = 0; job < count; ++job) {
      const bool told = std::find(to_end.begin(), to_end.end(), id_of(job)) != to_end.end();
      check(told == (jobs_[job].to_end && jobs_[job].holder == by.id),
            "who runs a job was not told that it is to end, or another one was");
    }
  } catch (const error& refused) {
    check(refused.code() == errc::not_found && !row_of(by.id).there, refused.what());
    join(row_of(by.id));
  }
}

void life_world::give_back(const row& of, bool crashed) {
  for (std::size_t job = 0; job < count; ++job) {
    job_truth& one = jobs_[job];
    if (one.at != phase::runs || one.holder != of.id) continue;
    one.at = phase::waits;
    one.holder.reset();
    const bool is_over = one.to_end || (crashed && store_->find(id_of(job))->crashes >= crashes_max);
    if (is_over) end(job);
  }
}

void life_world::leave(process& by) {
  store_->remove_worker(by.id, now);
  give_back(row_of(by.id), false);
  row_of(by.id).there = false;
  by.alive = false;
  by.runs.reset();
}

void life_world::sight(row& of) {
  if (lives(of.id)) --rules_.false_alarms_left;
  for (const auto& one : store_->workers()) {
    if (one.id == of.id) of.seen = one;
  }
  check(of.seen && of.seen->beat == of.beat, "a worker is not there, or has not beaten as often as it did");
}

void life_world::rescue(row& of) {
  const worker_row seen = *std::exchange(of.seen, std::nullopt);
  const auto held = std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& one) {
    return one.at == phase::runs && one.holder == of.id;
  });
  const auto given_back = store_->rescue(seen, now, crashes_max);
  const bool is_as_seen = of.there && seen.beat == of.beat;
  check(given_back.has_value() == is_as_seen,
        is_as_seen ? "a dead worker was not taken over" : "a worker that has beaten since was taken over");
  if (!given_back) return;
  check(*given_back == static_cast<std::size_t>(held), "a rescue did not find what the dead worker held");
  give_back(of, true);
  of.there = false;
}

void life_world::cancel(std::size_t job) {
  --rules_.cancels_left;
  job_truth& one = jobs_[job];
  check(store_->cancel(id_of(job), now) == (one.at != phase::ended), "a cancel found another state");
  if (one.at == phase::waits) {
    end(job);
  } else if (one.at == phase::runs) {
    one.to_end = true;
  }
}

void life_world::retry(std::size_t job) {
  --rules_.retries_left;
  job_truth& one = jobs_[job];
  const job_state state = store_->find(id_of(job))->state;
  bool retried = false;
  try {
    retried = store_->retry(id_of(job), now);
    check(!retried || !key_is_held(1 - job), "a job was retried whose key another has");
  } catch (const error& refused) {
    check(refused.code() == errc::already_exists && key_is_held(1 - job), refused.what());
    return;
  }
  check(retried == (state != job_state::done), "what is done was tried again, or what was given up was not");
  if (!retried) return;
  one.at = phase::waits;
  one.was_claimed = false;
  one.depends = false;
}

std::string life_world::look() {
  std::string key;
  const auto add = [&](auto number) { key += std::to_string(static_cast<std::int64_t>(number)) + ","; };
  const auto rows = store_->workers();
  std::int64_t running = 0;
  for (std::size_t job = 0; job < count; ++job) {
    const job_truth& truth = jobs_[job];
    const auto found = store_->find(id_of(job));
    check(found.has_value() == (truth.at != phase::absent), "a job that was acknowledged is lost");
    add(truth.at);
    if (!found) continue;
    check(is_ended(found->state) == (truth.at == phase::ended), "a job has ended, or has not, wrongly");
    check((found->state == job_state::running) == (truth.at == phase::runs),
          "a job runs, or does not, wrongly");
    check(found->owner == truth.holder, "a job has another owner than who claimed it last");
    check(found->fence == truth.fence, "a job has another claim number than that of its last claim");
    check(found->cancel_requested == truth.to_end, "a wish to end a job was lost, or made up");
    check((found->state == job_state::done) <= (truth.done > 0), "a job is done that nobody has done");
    if (found->owner) {
      const bool known = std::any_of(rows.begin(), rows.end(),
                                     [&](const worker_row& one) { return one.id == *found->owner; });
      check(known, "a job runs for a worker that nobody would find dead");
      ++running;
    }
    for (const auto number :
         {static_cast<std::int64_t>(found->state), found->fence, static_cast<std::int64_t>(found->crashes)})
      add(number);
    add(found->owner ? *found->owner : worker_id{});
    add(found->cancel_requested);
    add(truth.was_claimed);
    add(truth.depends);
  }
  check(rules_.limit == 0 || running <= rules_.limit, "more jobs run than the limit says");
  for (const auto& one : rows_) {
    add(one.there);
    add(one.seen ? 1 + static_cast<int>(one.seen->beat == one.beat) : 0);
  }
  for (const auto& one : workers_) {
    add(one.alive);
    add(one.starts);
    add(one.runs ? static_cast<std::int64_t>(one.runs->job) + 1 : 0);
    add(one.runs ? one.runs->fence : 0);
  }
  for (const int left : {rules_.crashes_left, rules_.false_alarms_left, rules_.cancels_left,
                         rules_.retries_left, rules_.agains_left})
    add(left);
  return key;
}

void life_world::settle() {
  for (auto& one : workers_) {
    if (one.alive && one.runs) finish(one, next_step::done);
  }
  for (auto& one : rows_) {
    if (!one.there || lives(one.id)) continue;
    sight(one);
    rescue(one);
  }
  process& last = workers_[0];
  if (!last.alive) take({life_step::start, 0});
  for (int round = 0; round < 6; ++round) {
    claim(last);
    if (last.runs) finish(last, next_step::done);
  }
  for (std::size_t job = 0; job < count; ++job) {
    if (jobs_[job].at == phase::absent) continue;
    const auto found = store_->find(id_of(job));
    check(found && is_ended(found->state), "without further faults a job does not end");
  }
  const auto another = job_of(rules_, 0, probe);
  check(store_->push({&another, 1}).front() == probe, "a key is held when all jobs have ended");
  claim_request request;
  request.owner = last.id;
  request.queues = {"q"};
  request.now = now;
  check(store_->claim(request).jobs.size() == 1, "a limit has no room when all jobs have ended");
}

explored explore(const exploration& rules) {
  using path = std::vector<life_action>;
  explored result;
  std::unordered_set<std::string> seen;
  std::deque<path> open{path{}};
  const auto walk = [&](const path& way) {
    life_world world(rules);
    for (const auto& one : way) world.take(one);
    return world;
  };
  while (!open.empty()) {
    const path way = std::move(open.front());
    open.pop_front();
    for (const auto& next : walk(way).possible()) {
      path further = way;
      further.push_back(next);
      ++result.steps;
      try {
        life_world world = walk(further);
        if (!seen.insert(world.look()).second) continue;
        world.settle();
      } catch (const std::exception& wrong) {
        std::string text = rules.name + ": " + wrong.what() + ", after:";
        for (const auto& one : further) text += " " + to_string(one) + ";";
        throw std::logic_error(text);
      }
      open.push_back(std::move(further));
    }
  }
  result.states = seen.size();
  return result;
}

}  // namespace weft::jobs
