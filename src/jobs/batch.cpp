#include <weft/jobs/batch.hpp>

#include <weft/jobs/queue.hpp>

#include "jobs/job_ids.hpp"

// A batch is jobs with a tag of its own, and a last job that waits for the end of all of them.

namespace weft::inline v1::jobs {
namespace {

constexpr std::string_view tag_start = "batch:";

void refuse_unique(const push_options& options) {
  if (!options.unique) return;
  throw error(errc::invalid_argument,
              "jobs: push a batch: a unique job may be that of another push, and so of no batch");
}

}  // namespace

std::string batch_tag(job_id batch) { return std::string(tag_start) + to_string(batch); }

// Ids have as many digits one as the other, for 200 years: their tags come in their order.
std::vector<job_id> batches(store& in, std::optional<job_id> before, std::size_t limit) {
  std::vector<job_id> all;
  std::string from = before ? batch_tag(*before) : std::string();
  while (all.size() < limit) {
    const auto tags = in.tags(tag_start, from, limit - all.size());
    if (tags.empty()) break;
    from = tags.back();
    for (const std::string_view tag : tags) {
      // A tag of somebody's own may begin so, too.
      if (const auto id = job_id_from_string(tag.substr(tag_start.size()))) all.push_back(*id);
    }
  }
  return all;
}

std::vector<new_job> queue::jobs_of_batch(job_id batch, std::span<const detail::pushed_closure> all,
                                          const push_options& options) const {
  refuse_unique(options);
  push_options tagged = options;
  tagged.tags.push_back(batch_tag(batch));
  std::vector<new_job> jobs;
  for (const auto& one : all) jobs.push_back(make_job(one, tagged));
  return jobs;
}

pushed_batch queue::push_batch_closures(std::span<const detail::pushed_closure> all,
                                        const detail::pushed_closure& then, const push_options& options,
                                        const push_options& then_options) {
  refuse_unique(then_options);
  return with_fresh_ids([&] {
    new_job last = make_job(then, then_options);
    auto jobs = jobs_of_batch(last.id, all, options);
    for (const auto& one : jobs) last.after.push_back({one.id, true});
    pushed_batch pushed{last.id, {}};
    jobs.push_back(std::move(last));
    pushed.jobs = store_->push(jobs);
    pushed.jobs.pop_back();
    return pushed;
  });
}

std::vector<job_id> queue::add_to_batch_closures(job_id batch, std::span<const detail::pushed_closure> all,
                                                 const push_options& options) {
  return with_fresh_ids([&] {
    auto jobs = jobs_of_batch(batch, all, options);
    for (auto& one : jobs) one.before = batch;
    return store_->push(jobs);
  });
}

std::optional<job_id> queue::batch_of(job_id id) {
  const auto found = store_->find(id);
  if (!found) return std::nullopt;
  for (const std::string_view tag : found->tags) {
    if (!tag.starts_with(tag_start)) continue;
    if (const auto batch = job_id_from_string(tag.substr(tag_start.size()))) return batch;
  }
  return std::nullopt;
}

state_counts queue::batch(job_id id) { return store_->count_tagged(batch_tag(id)); }

}  // namespace weft::inline v1::jobs
