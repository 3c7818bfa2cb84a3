#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "jobs/job_life.hpp"
#include "jobs/micros.hpp"
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

// weft_ready is in lines, each of a queue, closure, priority and limit, by moment: the first row of a line
// has waited longest in it, and one search leads from there to the next line. So this costs as much as there
// are lines, however many jobs wait.
std::vector<oldest_ready> database::find_oldest_ready(moment now) {
  std::map<std::int64_t, std::int64_t> oldest;  // by queue
  const auto note = [&](std::int64_t queue, std::int64_t since) {
    const auto at = oldest.try_emplace(queue, since).first;
    at->second = std::min(at->second, since);
  };
  std::array<std::int64_t, 4> line{};  // before all: queues have numbers from 1 on
  for (std::size_t lines = 0; lines < oldest_ready_lines_max; ++lines) {
    const used next =
        use("SELECT queue, handler, priority, limit_id, run_at FROM weft_ready"
            " WHERE (queue, handler, priority, limit_id, run_at) > (?,?,?,?,?)"
            " ORDER BY queue, handler, priority, limit_id, run_at LIMIT 1",
            "find the next line of ready jobs");
    for (const std::int64_t part : line) next->bind(part);
    next->bind(std::numeric_limits<std::int64_t>::max());  // or it would read the rest of this line
    if (!next->step()) break;
    for (int column = 0; column < 4; ++column) line[static_cast<std::size_t>(column)] = next->integer(column);
    note(line[0], next->integer(4));
  }
  const used due = use("SELECT queue, run_at FROM weft_scheduled WHERE run_at <= ? ORDER BY run_at LIMIT ?",
                       "find due jobs");
  due->bind(micros(now)).bind(static_cast<std::int64_t>(oldest_ready_lines_max));
  while (due->step()) note(due->integer(0), due->integer(1));

  std::vector<oldest_ready> all;
  for (const auto& [queue, since] : oldest) all.push_back({name_of_queue(queue), moment_at(since)});
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
