#include "jobs/heartbeat.hpp"

#include <mutex>
#include <set>
#include <utility>

#include <weft/log/log.hpp>

#include "jobs/host.hpp"

namespace weft::jobs {

heartbeat::heartbeat(store& kept_in, const clock& time, worker_row self, heartbeat_options options,
                     listener told)
    : store_(kept_in), clock_(time), self_(std::move(self)), options_(options), told_(std::move(told)) {
  store_.add_worker(self_);
  sweep();
  thread_ = weft::detail::started_thread("weft-heartbeat", weft::detail::thread_signals::blocked,
                                         [this] { run(); });
}

heartbeat::~heartbeat() {
  {
    const std::lock_guard lock(lock_);
    stopping_ = true;
    stopped_.serve_all();
  }
  thread_.join();
}

void heartbeat::run() {
  std::unique_lock lock(lock_);
  while (!stopping_) {
    weft::detail::waiter self;
    const auto end = weft::detail::wait_in(stopped_, self, lock, deadline_after(options_.interval),
                                           "jobs: wait for the next heartbeat", false);
    if (end != weft::detail::wait_outcome::timed_out) continue;
    lock.unlock();
    tick();
    lock.lock();
  }
}

void heartbeat::tick() noexcept {
  try {
    beat();
    sweep();
  } catch (const error& failed) {
    log::warn("jobs: a heartbeat failed; after too many, the jobs of this worker go to others",
              {{"worker", to_string(self_.id)}, {"error", failed.what()}});
  } catch (...) {
    log::write_exception(log::level::error, "jobs: a heartbeat failed", std::current_exception());
  }
}

void heartbeat::beat() {
  const std::lock_guard lock(beating_);
  std::vector<job_id> cancelled;
  self_.beat += 1;  // also where it comes back: nobody who saw an earlier beat may rescue it then
  try {
    cancelled = store_.beat(self_.id);
  } catch (const error& failed) {
    if (failed.code() != errc::not_found) throw;
    log::error("jobs: this worker was taken for dead, its jobs were given to others",
               {{"worker", to_string(self_.id)}});
    told_.lost();
    store_.add_worker(self_);
    return;
  }
  if (!cancelled.empty()) told_.cancelled(cancelled);
}

void heartbeat::sweep() {
  std::set<worker_id> present;
  for (const auto& other : store_.workers()) {
    if (other.id == self_.id) continue;
    if (!is_dead(other)) {
      present.insert(other.id);
      continue;
    }
    const auto count = store_.rescue(other, clock_.now(), options_.crashes_max);
    if (!count) continue;  // it lives, or another worker was faster
    log::warn("jobs: a worker died, its jobs are ready again",
              {{"worker", to_string(other.id)}, {"pid", other.pid}, {"host", other.host}, {"jobs", *count}});
  }
  std::erase_if(seen_, [&](const auto& entry) { return !present.contains(entry.first); });
}

bool heartbeat::is_dead(const worker_row& other) {
  if (other.host == self_.host) return start_of_process(other.pid) != other.pid_started;
  const auto now = steady_clock::now();
  auto& last = seen_[other.id];
  if (last.beat != other.beat) last = {other.beat, now};
  return now - last.changed > options_.interval * options_.missed_max;
}

}  // namespace weft::jobs
