#include "jobs/watched_store.hpp"

#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/jobs/clock.hpp>

namespace weft::jobs {

/// Tells of the pushes of a body.
class watched_store::watched_transaction final : public store_transaction {
 public:
  explicit watched_transaction(store_transaction& of) : of_(of) {}
  job_id push(const new_job& job) override {
    const job_id id = of_.push(job);
    if (id == job.id) pushed.push_back(job);
    return id;
  }
  ::sqlite3* sqlite() override { return of_.sqlite(); }
  sql_rows run(std::string_view sql, std::span<const sql_value> with) override { return of_.run(sql, with); }
  std::int64_t changes() override { return of_.changes(); }

  std::vector<new_job> pushed;

 private:
  store_transaction& of_;
};

/// Another task may come first, at each call.
void watched_store::enter() {
  yield();
  thaw();
  if (is_dead_) throw error(errc::unavailable, "the process of this store is dead");
  if (simulation::random(1000) < faults_.fails_of_1000) throw error(errc::busy, "the store is busy");
}

void watched_store::thaw() {
  if (steady_clock::now() < frozen_until_) sleep_until(frozen_until_);
}

template <typename Result>
Result watched_store::answered(Result result) {
  const bool is_lost = simulation::random(1000) < faults_.lost_of_1000;
  yield();
  if (is_dead_ || is_lost) throw error(errc::unavailable, "the answer of the store was lost");
  return result;
}

std::vector<job_id> watched_store::push(std::span<const new_job> jobs) {
  enter();
  auto ids = of_->push(jobs);
  for (std::size_t index = 0; index < jobs.size(); ++index) {
    if (ids[index] == jobs[index].id) ledger_.pushed(jobs[index]);
  }
  ids = answered(std::move(ids));
  for (const job_id id : ids) ledger_.acknowledged(id);
  return ids;
}

void watched_store::transact(const std::function<void(store_transaction&)>& body,
                             const transaction_options& options) {
  enter();
  std::vector<new_job> pushed;
  of_->transact(
      [&](store_transaction& raw) {
        watched_transaction inside(raw);
        body(inside);
        pushed = std::move(inside.pushed);
      },
      options);
  for (const auto& one : pushed) ledger_.pushed(one);
  (void)answered(true);
  for (const auto& one : pushed) ledger_.acknowledged(one.id);
}

claim_result watched_store::claim(const claim_request& request) {
  enter();
  const moment now = clock::system().now();  // whoever was stopped asks with an earlier one
  auto result = of_->claim(request);
  for (const auto& one : result.jobs) ledger_.claimed(one, request, now, *of_);
  if (!result.jobs.empty() && freezes_at_claim_.count() > 0) {
    freeze(steady_clock::now() + std::exchange(freezes_at_claim_, {}));
  }
  thaw();
  return result;
}

bool watched_store::finish(const attempt_end& end) {
  enter();
  const bool held = of_->finish(end);
  ledger_.finished(end, held || faults_.no_fencing);
  return held;
}

bool watched_store::progress(job_id id, worker_id owner, std::int64_t fence, const job_progress& now_at) {
  enter();
  return of_->progress(id, owner, fence, now_at);
}

bool watched_store::holds(job_id id, worker_id owner, std::int64_t fence) {
  enter();
  return of_->holds(id, owner, fence);
}

std::optional<std::string> watched_store::step(job_id id, std::string_view name) {
  enter();
  return of_->step(id, name);
}

void watched_store::read_steps(job_id id, const std::function<void(std::string_view value)>& each) {
  enter();
  of_->read_steps(id, each);
}

bool watched_store::keep_step(job_id id, worker_id owner, std::int64_t fence, std::string_view name,
                              std::string_view value) {
  enter();
  return of_->keep_step(id, owner, fence, name, value);
}

void watched_store::put_schedule(const stored_schedule& schedule) {
  enter();
  of_->put_schedule(schedule);
}

bool watched_store::remove_schedule(std::string_view name) {
  enter();
  return of_->remove_schedule(name);
}

bool watched_store::pause_schedule(std::string_view name) {
  enter();
  return of_->pause_schedule(name);
}

bool watched_store::resume_schedule(std::string_view name, moment last, moment next) {
  enter();
  return of_->resume_schedule(name, last, next);
}

std::vector<stored_schedule> watched_store::schedules() {
  enter();
  return of_->schedules();
}

bool watched_store::fire(const schedule_fire& fire) {
  enter();
  const bool is_fired = of_->fire(fire);
  for (const auto& one : fire.jobs) {
    if (is_fired) ledger_.pushed(one);
  }
  return is_fired;
}

/// On a host of its own: nobody looks whether its process lives.
void watched_store::add_worker(const worker_row& worker) {
  enter();
  worker_row row = worker;
  row.host = host_;
  of_->add_worker(row);
}

std::vector<job_id> watched_store::beat(worker_id owner) {
  enter();
  return of_->beat(owner);
}

void watched_store::remove_worker(worker_id owner, moment now) {
  enter();
  of_->remove_worker(owner, now);
  ledger_.given_back(owner, false);
}

std::vector<worker_row> watched_store::workers() {
  enter();
  return of_->workers();
}

worker_row watched_store::lead(worker_id self, const std::optional<worker_row>& silent) {
  enter();
  return of_->lead(self, silent);
}

std::optional<std::size_t> watched_store::rescue(const worker_row& seen, moment now, int crashes_max) {
  enter();
  const auto count = of_->rescue(seen, now, crashes_max);
  if (count) ledger_.given_back(seen.id, true);
  return count;
}

bool watched_store::cancel(job_id id, moment now) {
  enter();
  return of_->cancel(id, now);
}

bool watched_store::retry(job_id id, moment now) {
  enter();
  return of_->retry(id, now);
}

std::size_t watched_store::retry_all(std::string_view queue, job_state state, moment now, std::size_t limit) {
  enter();
  return of_->retry_all(queue, state, now, limit);
}

std::size_t watched_store::purge(const purge_bounds& before, moment now, std::size_t limit) {
  enter();
  return of_->purge(before, now, limit);
}

bool watched_store::remove(job_id id, std::optional<job_state> seen, moment now) {
  enter();
  return of_->remove(id, seen, now);
}

std::vector<stored_limit> watched_store::limits(std::string_view after, std::size_t count) {
  enter();
  return of_->limits(after, count);
}

void watched_store::set_limit(const limit_options& limit, bool pinned, moment now) {
  enter();
  of_->set_limit(limit, pinned, now);
}

bool watched_store::release_limit(std::string_view key) {
  enter();
  return of_->release_limit(key);
}

void watched_store::set_paused(std::string_view queue, bool paused) {
  enter();
  of_->set_paused(queue, paused);
}

std::optional<stored_job> watched_store::find(job_id id) {
  enter();
  return of_->find(id);
}

std::vector<stored_job> watched_store::list(const list_filter& filter) {
  enter();
  return of_->list(filter);
}

std::vector<queue_stats> watched_store::stats() {
  enter();
  return of_->stats();
}

std::vector<oldest_ready> watched_store::find_oldest_ready(moment now) {
  enter();
  return of_->find_oldest_ready(now);
}

state_counts watched_store::count_tagged(std::string_view tag) {
  enter();
  return of_->count_tagged(tag);
}

std::vector<std::string> watched_store::tags(std::string_view start, std::string_view before,
                                             std::size_t limit) {
  enter();
  return of_->tags(start, before, limit);
}

std::int64_t watched_store::count_unroutable(const std::function<bool(std::string_view handler)>& routable) {
  enter();
  return of_->count_unroutable(routable);
}

std::uint64_t watched_store::bell() const { return of_->bell(); }

std::uint64_t watched_store::wait_bell(std::uint64_t seen, steady_time until) {
  return of_->wait_bell(seen, until);
}

void watched_store::ring() { of_->ring(); }

std::uint64_t watched_store::end_bell(job_id id) const { return of_->end_bell(id); }

std::uint64_t watched_store::wait_end(job_id id, std::uint64_t seen, steady_time until) {
  return of_->wait_end(id, seen, until);
}

}  // namespace weft::jobs
