#include <weft/jobs/why_waiting.hpp>

#include <algorithm>
#include <cstdint>

#include <weft/jobs/view.hpp>
#include <weft/log/escape.hpp>

#include "core/counted.hpp"
#include "jobs/job_life.hpp"

namespace weft::inline v1::jobs {

namespace {

constexpr std::size_t parents_named = 5;

std::string in_quotes(std::string_view text) { return '"' + log::to_utf8(text) + '"'; }

std::string end_of(const stored_job& job) {
  switch (job.state) {
    case job_state::dead:
      if (job.attempts == 0) return "It was given up before an attempt of it began; retry it to run it.";
      return "It was given up after " + counted(job.attempts, "failed attempt") +
             "; retry it to run it again.";
    case job_state::cancelled:
      return "It was cancelled; retry it to run it again.";
    case job_state::quarantined:
      if (job.crashes > 0)
        return "Its workers died under it " + counted(job.crashes, "time") +
               ": look at it before you retry it.";
      return "It cannot be trusted or read: look at it before you retry it.";
    default:
      return {};
  }
}

std::string moment_of(const stored_job& job) {
  const std::string at = time_text(job.run_at).substr(0, 19) + "Z";
  if (job.attempts > 0) return counted(job.attempts, "attempt") + " failed: it is tried again at " + at + '.';
  if (job.backoffs > 0 || job.fence > 0) return "Its last attempt asked for another time: " + at + '.';
  return "It waits for its time, " + at + '.';
}

std::string parent_of(store& in, job_id parent) {
  const auto found = in.find(parent);
  if (!found) return "It waits for job " + to_string(parent) + ", which is gone.";
  std::string text =
      "It waits for job " + to_string(parent) + ", which is " + std::string(to_string(found->state));
  if (is_ended(found->state)) text += ": it goes on once that is retried and done";
  return text + '.';
}

void add_blocked(store& in, const stored_job& job, std::vector<std::string>& why) {
  for (std::size_t i = 0; i < std::min(job.waits_for.size(), parents_named); ++i)
    why.push_back(parent_of(in, job.waits_for[i]));
  if (job.waits_for.size() > parents_named)
    why.push_back("It waits for " + counted(job.waits_for.size() - parents_named, "other job") + ", too.");
  if (job.waits_for.empty() && !job.limit.empty())
    why.push_back("There is no room within its limit " + in_quotes(job.limit) + " now.");
}

/// A ready job of a queue that goes on.
std::string missing_worker(store& in, const queue_stats& queue) {
  const auto workers = in.workers();
  if (workers.empty()) return "No worker is there: none has told this database that it is.";
  std::int64_t running = 0;
  for (const auto& one : workers) running += one.running;
  return "It is ready: " + counted(queue.ready, "job of its queue is", "jobs of its queue are") + ", and " +
         counted(workers.size(), "worker runs", "workers run") + ' ' + counted(running, "job") +
         ". Either it is not its turn yet, or no worker takes jobs of its queue and knows its closure.";
}

}  // namespace

std::vector<std::string> why_waiting(store& in, const stored_job& job, moment now) {
  std::vector<std::string> why;
  if (job.state == job_state::running || job.state == job_state::done) return why;
  if (is_ended(job.state)) return {end_of(job)};
  queue_stats queue;
  for (const auto& one : in.stats()) {
    if (one.queue == job.queue) queue = one;
  }
  if (queue.paused) why.push_back("Its queue " + in_quotes(job.queue) + " is paused.");
  if (job.state == job_state::scheduled && job.run_at > now) why.push_back(moment_of(job));
  if (job.state == job_state::blocked) add_blocked(in, job, why);
  if (why.empty()) why.push_back(missing_worker(in, queue));
  return why;
}

}  // namespace weft::inline v1::jobs
