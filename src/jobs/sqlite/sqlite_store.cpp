#include "jobs/sqlite/sqlite_store.hpp"

#include <utility>

#include <sqlite3.h>

#include <weft/context/context.hpp>

#include "jobs/sqlite/schema.hpp"

namespace weft::inline v1::jobs::sqlite {

sqlite_store::sqlite_store(const std::string& path, const store_options& options)
    : connection_(path, options.prepare ? file_use::prepare : file_use::existing),
      lock_(path),
      database_(connection_),
      guard_(connection_),
      listeners_(path),
      options_(options),
      reader_(path),
      writer_(connection_, lock_, database_, requests_, listeners_, options_) {
  if (options.prepare) {
    const writer_lock::guard held(lock_, options.busy_timeout);
    migrate(connection_, options.busy_timeout);
  } else {
    expect_current(connection_);
  }
  thread_ = weft::detail::started_thread("weft-sqlite", weft::detail::thread_signals::blocked,
                                         [this] { writer_.run(); });
}

sqlite_store::~sqlite_store() {
  requests_.close();
  thread_.join();
}

void sqlite_store::ask(request_kind kind, std::function<void()> apply, bool durable) {
  request asked;
  asked.kind = kind;
  asked.durable = durable;
  asked.apply = std::move(apply);
  requests_.ask(asked);
}

std::vector<job_id> sqlite_store::push(std::span<const new_job> jobs) {
  std::vector<job_id> ids;
  const auto apply = [&] {
    ids.clear();  // it may be applied a second time
    for (const auto& job : jobs) ids.push_back(database_.push(job));
  };
  ask(request_kind::push, apply, true);
  return ids;
}

void sqlite_store::transact(const std::function<void(store_transaction&)>& body,
                            const transaction_options& options) {
  request asked;
  asked.kind = request_kind::push;
  asked.durable = true;
  asked.once = true;
  // The body runs on the writer thread, so it takes the caller's context along.
  asked.apply = [&, here = context::capture()] { here.run([&] { guard_.run(database_, body, options); }); };
  requests_.ask(asked);
}

claim_result sqlite_store::claim(const claim_request& wanted) {
  claim_result result;
  request asked;
  asked.kind = request_kind::claim;
  asked.idle = [&] { return database_.is_idle(wanted, result); };
  asked.apply = [&] { database_.claim(wanted, result); };
  requests_.ask(asked);
  return result;
}

bool sqlite_store::finish(const attempt_end& end) {
  bool held = false;
  ask(
      request_kind::finish, [&] { held = database_.finish(end); }, end.durable);
  return held;
}

bool sqlite_store::progress(job_id id, worker_id owner, std::int64_t fence, const job_progress& now_at) {
  bool held = false;
  ask(request_kind::finish, [&] { held = database_.progress(id, owner, fence, now_at); });
  return held;
}

bool sqlite_store::holds(job_id id, worker_id owner, std::int64_t fence) {
  bool held = false;
  ask(request_kind::read, [&] { held = database_.holds(id, owner, fence); });
  return held;
}

std::optional<std::string> sqlite_store::step(job_id id, std::string_view name) {
  std::optional<std::string> kept;
  ask(request_kind::read, [&] { kept = database_.step(id, name); });
  return kept;
}

void sqlite_store::read_steps(job_id id, const std::function<void(std::string_view value)>& each) {
  reader_.ask([&](database& from) { from.read_steps(id, each); });
}

bool sqlite_store::keep_step(job_id id, worker_id owner, std::int64_t fence, std::string_view name,
                             std::string_view value) {
  bool held = false;
  ask(
      request_kind::finish, [&] { held = database_.keep_step(id, owner, fence, name, value); }, true);
  return held;
}

void sqlite_store::put_schedule(const stored_schedule& schedule) {
  ask(
      request_kind::push, [&] { database_.put_schedule(schedule); }, true);
}

bool sqlite_store::remove_schedule(std::string_view name) {
  bool found = false;
  ask(
      request_kind::push, [&] { found = database_.remove_schedule(name); }, true);
  return found;
}

bool sqlite_store::pause_schedule(std::string_view name) {
  bool found = false;
  ask(
      request_kind::push, [&] { found = database_.pause_schedule(name); }, true);
  return found;
}

bool sqlite_store::resume_schedule(std::string_view name, moment last, moment next) {
  bool found = false;
  ask(
      request_kind::push, [&] { found = database_.resume_schedule(name, last, next); }, true);
  return found;
}

std::vector<stored_schedule> sqlite_store::schedules() {
  std::vector<stored_schedule> all;
  ask(request_kind::read, [&] { all = database_.schedules(); });
  return all;
}

bool sqlite_store::fire(const schedule_fire& fire) {
  bool moved = false;
  ask(
      request_kind::push, [&] { moved = database_.fire(fire); }, true);
  return moved;
}

void sqlite_store::add_worker(const worker_row& worker) {
  ask(request_kind::finish, [&] { database_.add_worker(worker); });
}

std::vector<job_id> sqlite_store::beat(worker_id owner) {
  std::vector<job_id> cancelled;
  ask(request_kind::finish, [&] { cancelled = database_.beat(owner); });
  return cancelled;
}

void sqlite_store::remove_worker(worker_id owner, moment now) {
  ask(request_kind::finish, [&] { database_.remove_worker(owner, now); });
}

std::vector<worker_row> sqlite_store::workers() {
  std::vector<worker_row> all;
  ask(request_kind::read, [&] { all = database_.workers(); });
  return all;
}

worker_row sqlite_store::lead(worker_id self, const std::optional<worker_row>& silent) {
  worker_row leader;
  ask(request_kind::finish, [&] { leader = database_.lead(self, silent); });
  return leader;
}

std::optional<std::size_t> sqlite_store::rescue(const worker_row& seen, moment now, int crashes_max) {
  std::optional<std::size_t> count;
  ask(request_kind::finish, [&] { count = database_.rescue(seen, now, crashes_max); });
  return count;
}

bool sqlite_store::cancel(job_id id, moment now) {
  bool found = false;
  ask(
      request_kind::finish, [&] { found = database_.cancel(id, now); }, true);
  return found;
}

bool sqlite_store::retry(job_id id, moment now) {
  bool found = false;
  ask(
      request_kind::finish, [&] { found = database_.retry(id, now); }, true);
  return found;
}

std::size_t sqlite_store::retry_all(std::string_view queue, job_state state, moment now, std::size_t limit) {
  database::retry_step at;
  while (!at.is_last && at.retried < limit) {
    const database::retry_step before = at;
    ask(
        request_kind::finish,
        [&] {
          at = before;  // it may be applied a second time
          database_.retry_some(queue, state, now, limit, at);
        },
        true);
  }
  return at.retried;
}

std::size_t sqlite_store::purge(const purge_bounds& before, moment now, std::size_t limit) {
  std::size_t count = 0;
  ask(request_kind::finish, [&] { count = database_.purge(before, now, limit); });
  return count;
}

bool sqlite_store::remove(job_id id, std::optional<job_state> seen, moment now) {
  bool found = false;
  ask(
      request_kind::finish, [&] { found = database_.remove(id, seen, now); }, true);
  return found;
}

std::vector<stored_limit> sqlite_store::limits(std::string_view after, std::size_t count) {
  std::vector<stored_limit> all;
  reader_.ask([&](database& from) { all = from.limits(after, count); });
  return all;
}

void sqlite_store::set_limit(const limit_options& limit, bool pinned, moment now) {
  ask(
      request_kind::finish, [&] { database_.set_limit(limit, pinned, now); }, true);
}

bool sqlite_store::release_limit(std::string_view key) {
  bool was_pinned = false;
  ask(
      request_kind::finish, [&] { was_pinned = database_.release_limit(key); }, true);
  return was_pinned;
}

void sqlite_store::set_paused(std::string_view queue, bool paused) {
  ask(
      request_kind::finish, [&] { database_.set_paused(queue, paused); }, true);
}

std::optional<stored_job> sqlite_store::find(job_id id) {
  std::optional<stored_job> job;
  reader_.ask([&](database& from) { job = from.find(id); });
  return job;
}

std::vector<stored_job> sqlite_store::list(const list_filter& filter) {
  std::vector<stored_job> jobs;
  reader_.ask([&](database& from) { jobs = from.list(filter); });
  return jobs;
}

std::vector<queue_stats> sqlite_store::stats() {
  std::vector<queue_stats> all;
  reader_.ask([&](database& from) { all = from.stats(); });
  return all;
}

std::vector<oldest_ready> sqlite_store::find_oldest_ready(moment now) {
  std::vector<oldest_ready> all;
  reader_.ask([&](database& from) { all = from.find_oldest_ready(now); });
  return all;
}

state_counts sqlite_store::count_tagged(std::string_view tag) {
  state_counts counts;
  reader_.ask([&](database& from) { counts = from.count_tagged(tag); });
  return counts;
}

std::vector<std::string> sqlite_store::tags(std::string_view start, std::string_view before,
                                            std::size_t limit) {
  std::vector<std::string> all;
  reader_.ask([&](database& from) { all = from.tags(start, before, limit); });
  return all;
}

std::int64_t sqlite_store::count_unroutable(const std::function<bool(std::string_view handler)>& routable) {
  std::int64_t count = 0;
  reader_.ask([&](database& from) { count = from.count_unroutable(routable); });
  return count;
}

std::uint64_t sqlite_store::bell() const { return listeners_.bell.value(); }

void sqlite_store::listen_to_others() {
  if (listeners_.any.load(std::memory_order_acquire)) return;
  std::call_once(listening_, [this] {
    listeners_.heard_at_once = listeners_.others.listen([this] { requests_.nudge(); });
    listeners_.any.store(true, std::memory_order_release);
    requests_.nudge();  // what has happened so far
  });
}

std::uint64_t sqlite_store::wait_bell(std::uint64_t seen, steady_time until) {
  listen_to_others();
  return listeners_.bell.wait(seen, until);
}

void sqlite_store::ring() { listeners_.bell.ring(); }

std::uint64_t sqlite_store::end_bell(job_id id) const { return listeners_.ends.of(id).value(); }

std::uint64_t sqlite_store::wait_end(job_id id, std::uint64_t seen, steady_time until) {
  listen_to_others();
  return listeners_.ends.of(id).wait(seen, until);
}

}  // namespace weft::inline v1::jobs::sqlite

namespace weft::inline v1::jobs {

sqlite_version_info sqlite_version() {
  return {sqlite3_libversion(), sqlite3_libversion_number() < 3'051'003};
}

}  // namespace weft::inline v1::jobs
