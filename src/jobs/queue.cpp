#include <weft/jobs/queue.hpp>

#include <utility>

#include <weft/closure/registry.hpp>
#include <weft/context/context.hpp>

#include "jobs/job_envelope.hpp"
#include "jobs/job_ids.hpp"
#include "jobs/kept_attempt.hpp"

namespace weft::jobs {
namespace {

constexpr int priority_max = 32767;

queue_options checked(queue_options options) {
  if (options.keys == nullptr) {
    throw error(errc::invalid_argument, "jobs: open the queue \"" + options.name +
                                            "\": it has no keys; jobs are always signed, so load a key file "
                                            "with wire::key_ring::load or make one with wire::key::generate");
  }
  if (options.clock == nullptr) options.clock = &jobs::clock::system();
  return options;
}

moment start_of(const push_options& options, moment now) {
  return options.at ? *options.at : now + options.delay;
}

}  // namespace

queue::queue(std::string_view url, queue_options options)
    : options_(checked(std::move(options))), store_(open_store(url, options_.store)) {}

queue::queue(std::shared_ptr<jobs::store> kept_in, queue_options options)
    : options_(checked(std::move(options))), store_(std::move(kept_in)) {}

new_job queue::make_job(const detail::pushed_closure& what, const push_options& options) const {
  if (options.priority < -priority_max - 1 || options.priority > priority_max) {
    throw error(errc::invalid_argument, "jobs: push \"" + what.identity + "\": the priority " +
                                            std::to_string(options.priority) +
                                            " is not within -32768 and 32767");
  }
  const moment now = clock().now();
  job_envelope job;
  job.id = make_job_id(now);
  job.queue = options.queue.empty() ? options_.name : options.queue;
  job.closure = what.identity;
  job.arguments = what.arguments;
  job.created = now;
  job.not_before = start_of(options, now);
  job.attempts_max = options.max_attempts > 0 ? options.max_attempts : options_.max_attempts;
  job.timeout = options.timeout.count() > 0 ? options.timeout : options_.timeout;
  job.expires = options.expires;
  job.context = context::capture().to_wire(wire_policy::job);
  job.source = what.source;
  job.trace = options.trace;
  return {job.id, job.queue, job.closure, seal(keys(), job), options.priority, now, job.not_before};
}

std::vector<job_id> queue::push_closures(std::span<const detail::pushed_closure> all,
                                         const push_options& options) {
  for (int collisions = 0;; ++collisions) {
    std::vector<new_job> jobs;
    std::vector<job_id> ids;
    for (const auto& one : all) ids.push_back(jobs.emplace_back(make_job(one, options)).id);
    try {
      store_->push(jobs);
      return ids;
    } catch (const error& failed) {
      if (failed.code() != errc::already_exists || collisions == id_collisions_max) throw;
    }
  }
}

void queue::transact_with(const std::function<void(transaction&)>& body) {
  const auto run = [&](store_transaction& raw) {
    transaction inside(*this, raw);
    body(inside);
  };
  store_->transact(run, options_.transaction);
}

job_info queue::describe(stored_job job) const {
  job_info info;
  info.id = job.id;
  info.queue = std::move(job.queue);
  info.closure = std::move(job.handler);
  info.state = job.state;
  info.priority = job.priority;
  info.created = job.created;
  info.run_at = job.run_at;
  info.finished = job.finished;
  info.attempts = job.attempts;
  info.backoffs = job.backoffs;
  info.crashes = job.crashes;
  info.owner = job.owner;
  info.cancel_requested = job.cancel_requested;
  try {
    const job_envelope sealed = unseal(keys(), job.envelope);
    check_row(sealed, info.id, info.queue, info.closure);
    info.source = sealed.source;
    info.attempts_max = sealed.attempts_max;
  } catch (const error& bad) {
    info.problem = bad.message();
  }
  for (auto& one : job.past) info.past.push_back(read_attempt(one));
  return info;
}

std::optional<job_info> queue::show(job_id id) {
  auto found = store_->find(id);
  if (!found) return std::nullopt;
  return describe(std::move(*found));
}

std::vector<job_info> queue::list(const list_filter& filter) {
  std::vector<job_info> all;
  for (auto& job : store_->list(filter)) all.push_back(describe(std::move(job)));
  return all;
}

std::vector<queue_stats> queue::stats() { return store_->stats(); }

std::int64_t queue::unroutable() {
  return store_->count_unroutable(
      [](std::string_view identity) { return closure_registry::find(identity).has_value(); });
}

bool queue::cancel(job_id id) { return store_->cancel(id, clock().now()); }

bool queue::retry(job_id id) { return store_->retry(id, clock().now()); }

std::size_t queue::purge(std::chrono::microseconds age, std::size_t limit) {
  return store_->purge(clock().now() - age, limit);
}

}  // namespace weft::jobs
