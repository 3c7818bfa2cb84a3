#include <weft/jobs/queue.hpp>

#include <algorithm>
#include <utility>

#include <weft/closure/registry.hpp>
#include <weft/context/context.hpp>
#include <weft/core/fault_point.hpp>
#include <weft/jobs/describe.hpp>
#include <weft/wire/canonical.hpp>

#include "jobs/jitter.hpp"
#include "jobs/job_envelope.hpp"
#include "jobs/job_ids.hpp"
#include "jobs/job_result.hpp"
#include "jobs/job_secrets.hpp"
#include "jobs/limit_check.hpp"
#include "jobs/longest_wait.hpp"

namespace weft::inline v1::jobs {
namespace {

constexpr int priority_max = 32767;
constexpr std::size_t unique_key_bytes_max = 4096;
constexpr std::size_t tags_max = 16;
constexpr std::size_t tag_bytes_max = 64;

queue_options checked(queue_options options) {
  if (options.keys == nullptr) {
    throw error(errc::invalid_argument,
                "jobs: open the queue \"" + options.name +
                    "\": it has no keys; jobs are always signed, so load a key file "
                    "with wire::key_ring::load (`weft keys generate FILE` makes one)");
  }
  if (!options.jitter_seed) options.jitter_seed = make_jitter_seed();
  return options;
}

void choose_clock(queue_options& options, const store& kept_in) {
  if (options.clock == nullptr) options.clock = &kept_in.clock();
}

/// Who shares it: jobs of one closure in one queue.
unique_key key_of(const job_envelope& job, const unique_options& options) {
  if (options.key.empty() && !job.secrets.empty()) {
    throw error(errc::invalid_argument,
                "jobs: push \"" + job.closure +
                    "\": an argument is a secret, so that its arguments are no unique "
                    "key; set unique_options::key");
  }
  wire::canonical_writer key;
  key.text(job.queue);
  key.text(job.closure);
  key.text(options.key.empty() ? "arguments" : "key");
  key.text(options.key.empty() ? job.arguments : options.key);
  if (key.data().size() > unique_key_bytes_max) {
    throw error(errc::too_large, "jobs: push \"" + job.closure + "\": its unique key has " +
                                     std::to_string(key.data().size()) + " bytes with its names, " +
                                     std::to_string(unique_key_bytes_max) +
                                     " are the limit; where it is the arguments, give a shorter one");
  }
  return {std::string(as_text(key.data())), options.until, job.created + bounded_wait(options.period)};
}

void check_tags(const std::vector<std::string>& tags) {
  const bool fit =
      tags.size() <= tags_max && std::all_of(tags.begin(), tags.end(), [](const std::string& tag) {
        return !tag.empty() && tag.size() <= tag_bytes_max;
      });
  if (!fit) {
    throw error(errc::invalid_argument, "jobs: push a job: it may have " + std::to_string(tags_max) +
                                            " tags of 1 to " + std::to_string(tag_bytes_max) + " bytes");
  }
}

moment start_of(const push_options& options, moment now) {
  return options.at ? *options.at : now + bounded_wait(options.delay);
}

}  // namespace

void detail::refuse_service_of_request(const std::string& identity, std::string_view type_name) {
  throw error(errc::invalid_argument,
              "jobs: push \"" + identity + "\": it asks for the service " + std::string(type_name) +
                  ", which is per_request, and a worker has no request; pass what the job needs of it as "
                  "arguments, or as context that is marked for jobs");
}

queue::queue(std::string_view url, queue_options options)
    : options_(checked(std::move(options))), store_(open_store(url, options_.store)) {
  choose_clock(options_, *store_);
}

queue::queue(std::shared_ptr<jobs::store> kept_in, queue_options options)
    : options_(checked(std::move(options))), store_(std::move(kept_in)) {
  choose_clock(options_, *store_);
}

job_id queue::make_id() const { return make_job_id(clock().now()); }

new_job queue::make_job(job_id id, const detail::pushed_closure& what, const push_options& options) const {
  return make_job(id, what, options, context::capture().to_wire(wire_policy::job));
}

new_job queue::make_job(job_id id, const detail::pushed_closure& what, const push_options& options,
                        std::string context) const {
  if (options.priority < -priority_max - 1 || options.priority > priority_max) {
    throw error(errc::invalid_argument, "jobs: push \"" + what.identity + "\": the priority " +
                                            std::to_string(options.priority) +
                                            " is not within -32768 and 32767");
  }
  check_tags(options.tags);
  if (options.limit) check_limit(*options.limit, "push a job");
  const moment now = clock().now();
  job_envelope job;
  job.id = id;
  job.queue = options.queue.empty() ? options_.name : options.queue;
  job.closure = what.identity;
  job.arguments = what.arguments;
  job.created = now;
  job.not_before = start_of(options, now);
  job.attempts_max = options.max_attempts > 0 ? options.max_attempts : options_.max_attempts;
  job.timeout = options.timeout.count() > 0 ? options.timeout : options_.timeout;
  job.expires = options.expires;
  job.context = std::move(context);
  job.source = what.source;
  job.trace = options.trace;
  job.tenant = options_.tenant;
  hide_secrets(job, what.secrets, secret_keys());
  new_job made{job.id, job.queue, job.closure, seal(keys(), job), options.priority, now, job.not_before};
  made.expires = options.expires;
  if (options.unique) made.unique = key_of(job, *options.unique);
  made.tags = options.tags;
  made.limit = options.limit;
  for (const job_id on : options.after) made.after.push_back({on, false});
  for (const job_id on : options.after_end) made.after.push_back({on, true});
  return made;
}

std::vector<job_id> queue::push_closures(std::span<const detail::pushed_closure> all,
                                         const push_options& options) {
  return with_fresh_ids([&] {
    std::vector<new_job> jobs;
    for (const auto& one : all) jobs.push_back(make_job(one, options));
    fault_point("weft.jobs.push");
    auto ids = store_->push(jobs);
    fault_point("weft.jobs.pushed");
    return ids;
  });
}

void queue::transact_with(const std::function<void(transaction&)>& body) {
  const auto run = [&](store_transaction& raw) {
    transaction inside(*this, raw);
    body(inside);
  };
  store_->transact(run, options_.transaction);
}

std::optional<std::string> queue::result_json(job_id id) {
  const auto found = store_->find(id);
  if (!found || !found->result) return std::nullopt;
  return read_result(keys(), id, *found->result);
}

std::optional<job_info> queue::show(job_id id) {
  auto found = store_->find(id);
  if (!found) return std::nullopt;
  return describe(std::move(*found), &keys(), tenant());
}

std::vector<job_info> queue::list(const list_filter& filter) {
  std::vector<job_info> all;
  for (auto& job : store_->list(filter)) all.push_back(describe(std::move(job), &keys(), tenant()));
  return all;
}

std::vector<queue_stats> queue::stats() { return store_->stats(); }

std::int64_t queue::unroutable() {
  return store_->count_unroutable(
      [](std::string_view identity) { return closure_registry::find(identity).has_value(); });
}

void queue::pause(std::string_view name) { store_->set_paused(name.empty() ? options_.name : name, true); }

void queue::resume(std::string_view name) { store_->set_paused(name.empty() ? options_.name : name, false); }

bool queue::cancel(job_id id) { return store_->cancel(id, clock().now()); }

bool queue::retry(job_id id) { return store_->retry(id, clock().now()); }

std::size_t queue::retry_all(std::size_t limit, job_state state) {
  return store_->retry_all(options_.name, state, clock().now(), limit);
}

std::size_t queue::purge(std::chrono::microseconds age, std::size_t limit) {
  const moment now = clock().now();
  return store_->purge(now - bounded_wait(age), now, limit);
}

}  // namespace weft::inline v1::jobs
