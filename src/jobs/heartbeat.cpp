#include "jobs/heartbeat.hpp"

#include <mutex>
#include <utility>

#include <weft/core/fault_point.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1::jobs {

heartbeat::heartbeat(store& kept_in, const clock& time, worker_row self, const upkeep_options& options,
                     listener told)
    : store_(kept_in),
      self_(std::move(self)),
      interval_(options.beat_interval),
      lease_(options.beat_interval * options.missed_max),
      told_(std::move(told)),
      upkeep_(kept_in, time, self_.id, self_.host, options) {
  join();
  upkeep_.look();
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

/// Looks who leads twice as often as it beats: who follows a leader that has stopped should do so soon.
void heartbeat::run() {
  std::unique_lock lock(lock_);
  for (bool beats = false; !stopping_;) {
    weft::detail::waiter self;
    const auto end = weft::detail::wait_in(stopped_, self, lock, deadline_after(interval_ / 2),
                                           "jobs: wait for the next heartbeat", false);
    if (end != weft::detail::wait_outcome::timed_out) continue;
    lock.unlock();
    tick(beats);
    beats = !beats;
    lock.lock();
  }
}

void heartbeat::tick(bool beats) noexcept {
  try {
    if (beats) beat();
    upkeep_.look();
  } catch (const error& failed) {
    log::warn("jobs: a heartbeat failed; after too many, the jobs of this worker go to others",
              {{"worker", to_string(self_.id)}, {"error", failed.what()}});
  } catch (...) {
    log::write_exception(log::level::error, "jobs: a heartbeat failed", std::current_exception());
  }
}

void heartbeat::join() {
  const steady_time asked = steady_clock::now();
  store_.add_worker(self_);
  sure_until_ = asked + lease_;
}

bool heartbeat::is_sure() const noexcept { return steady_clock::now() < sure_until_.load(); }

void heartbeat::beat() {
  fault_point("weft.jobs.beat");
  const std::lock_guard lock(beating_);
  std::vector<job_id> cancelled;
  const steady_time asked = steady_clock::now();
  self_.beat += 1;  // also where it comes back: nobody who saw an earlier beat may rescue it then
  try {
    cancelled = store_.beat(self_.id);
  } catch (const error& failed) {
    if (failed.code() != errc::not_found) throw;
    log::error("jobs: this worker was taken for dead, its jobs were given to others",
               {{"worker", to_string(self_.id)}});
    ++losses_;
    told_.lost();
    join();
    return;
  }
  sure_until_ = asked + lease_;
  if (!cancelled.empty()) told_.cancelled(cancelled);
}

}  // namespace weft::inline v1::jobs
