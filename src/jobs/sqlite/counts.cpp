#include <algorithm>

#include "jobs/job_life.hpp"
#include "jobs/sqlite/database.hpp"

// How many jobs of each queue are in each state, without looking at them: weft_count is kept up to date in
// the transactions that move jobs. What a request changes is gathered in request_counts_ and goes with the
// changes of its turn when the request has succeeded, so that a turn writes each number once. Running jobs
// are not counted so: there are never many, and each job would be counted twice more.

namespace weft::inline v1::jobs::sqlite {
void database::count(std::int64_t queue, job_state state, std::int64_t handler, std::int64_t by) {
  if (state == job_state::running) return;
  request_counts_[{queue, static_cast<std::int64_t>(state), is_ended(state) ? 0 : handler}] += by;
}

void database::keep_counts() {
  for (const auto& [of, by] : request_counts_) turn_counts_[of] += by;
  request_counts_.clear();
}

void database::store_counts(job_counts& counts) {
  for (const auto& [of, by] : counts) {
    if (by == 0) continue;
    use("INSERT INTO weft_count (queue, state, handler, jobs) VALUES (?,?,?,?)"
        " ON CONFLICT (queue, state, handler) DO UPDATE SET jobs = jobs + excluded.jobs",
        "count jobs")
        ->bind(of.queue)
        .bind(of.state)
        .bind(of.handler)
        .bind(by)
        .run();
  }
  counts.clear();
}

std::vector<queue_stats> database::stats() {
  std::map<std::int64_t, queue_stats> by_queue;
  const used rows =
      use("SELECT queue, state, sum(jobs) FROM weft_count GROUP BY queue, state HAVING sum(jobs) > 0"
          " UNION ALL SELECT queue, 2, count(*) FROM weft_running GROUP BY queue",
          "read the counts of jobs");
  while (rows->step()) {
    count_of(by_queue[rows->integer(0)], static_cast<job_state>(rows->integer(1))) = rows->integer(2);
  }
  const used paused = use("SELECT id FROM weft_queue WHERE paused", "find paused queues");
  while (paused->step()) by_queue[paused->integer(0)].paused = true;
  std::vector<queue_stats> all;
  for (auto& [id, of] : by_queue) {
    of.queue = name_of_queue(id);
    all.push_back(std::move(of));
  }
  std::sort(all.begin(), all.end(),
            [](const auto& left, const auto& right) { return left.queue < right.queue; });
  return all;
}

state_counts database::count_tagged(std::string_view tag) {
  state_counts counts;
  const used rows =
      use("SELECT state, count(*) FROM weft_tag WHERE tag = ?1 GROUP BY state"
          " UNION ALL SELECT 2, count(*) FROM weft_running r"
          " WHERE EXISTS (SELECT 1 FROM weft_tag t WHERE t.job = r.id AND t.tag = ?1)",
          "count jobs with a tag");
  rows->bind(tag);
  while (rows->step()) count_of(counts, static_cast<job_state>(rows->integer(0))) = rows->integer(1);
  counts.ready -= counts.running;  // weft_tag has them as ready
  return counts;
}

std::int64_t database::count_unroutable(const std::function<bool(std::string_view)>& routable) {
  std::int64_t count = 0;
  const used rows = use(
      "SELECT handler, sum(jobs) FROM weft_count WHERE handler <> 0 GROUP BY handler HAVING sum(jobs) > 0",
      "count jobs of unknown closures");
  while (rows->step()) {
    if (!routable(identity_of(rows->integer(0)))) count += rows->integer(1);
  }
  return count;
}

}  // namespace weft::inline v1::jobs::sqlite
