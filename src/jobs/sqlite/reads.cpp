#include <algorithm>
#include <cstdint>
#include <string>

#include "jobs/job_life.hpp"
#include "jobs/sqlite/database.hpp"

// What people and programs look at. List walks weft_job from the newest, so a filter that fits few jobs
// looks at many; that is bounded.

namespace weft::jobs::sqlite {
namespace {

constexpr std::size_t listed_max = 10'000;
constexpr std::size_t looked_at_max = 200'000;

moment at(std::int64_t micros) { return moment(std::chrono::microseconds(micros)); }

}  // namespace

bool database::fill_state(stored_job& job) {
  const used row = use(
      "SELECT 1, run_at, attempts, backoffs, crashes, fence, 0, 0 FROM weft_ready WHERE id = ?1"
      " UNION ALL SELECT 0, run_at, attempts, backoffs, crashes, fence, 0, 0 FROM weft_scheduled WHERE id = "
      "?1"
      " UNION ALL SELECT 2, started, attempts, backoffs, crashes, fence, owner, cancel FROM weft_running "
      "WHERE id = ?1"
      " UNION ALL SELECT 7, run_at, attempts, backoffs, crashes, fence, 0, 0 FROM weft_blocked WHERE id = ?1"
      " UNION ALL SELECT 3, finished, attempts, backoffs, crashes, fence, 0, 0 FROM weft_done WHERE id = ?1"
      " UNION ALL SELECT state, finished, attempts, backoffs, crashes, fence, 0, 0 FROM weft_dead WHERE id = "
      "?1",
      "find where a job is");
  if (!row->bind(static_cast<std::int64_t>(job.id)).step()) return false;
  job.state = static_cast<job_state>(row->integer(0));
  if (is_ended(job.state)) {
    job.finished = at(row->integer(1));
  } else {
    job.run_at = at(row->integer(1));
  }
  job.attempts = static_cast<int>(row->integer(2));
  job.backoffs = static_cast<int>(row->integer(3));
  job.crashes = static_cast<int>(row->integer(4));
  job.fence = row->integer(5);
  if (job.state == job_state::running) {
    job.owner = worker_id{row->integer(6)};
    job.cancel_requested = row->integer(7) != 0;
  }
  return true;
}

void database::fill_details(stored_job& job) {
  const auto number = static_cast<std::int64_t>(job.id);
  job.tags = tags_of(number);
  if (job.state == job_state::blocked) job.waits_for = parents_of(number);
  if (job.state == job_state::running) {
    const used row = use("SELECT progress_done, progress_total, progress_note FROM weft_running WHERE id = ?",
                         "read the progress of a job");
    if (!row->bind(number).step()) return;
    const auto done = row->maybe_integer(0);
    if (done) job.progress = job_progress{*done, row->integer(1), row->text(2)};
  } else if (job.state == job_state::done) {
    const used row = use("SELECT value FROM weft_result WHERE job = ?", "read the result of a job");
    if (row->bind(number).step()) job.result = row->text(0);
  }
}

std::vector<std::string> database::tags_of(std::int64_t id) {
  std::vector<std::string> tags;
  const used rows = use("SELECT tag FROM weft_tag WHERE job = ? ORDER BY tag", "read the tags of a job");
  rows->bind(id);
  while (rows->step()) tags.push_back(rows->text(0));
  return tags;
}

std::vector<stored_attempt> database::past_of(std::int64_t id) {
  std::vector<stored_attempt> past;
  const used rows = use(
      "SELECT attempt, fence, owner, outcome, started, ended, error, records FROM weft_attempt WHERE job = ?"
      " ORDER BY fence",
      "read the attempts of a job");
  rows->bind(id);
  while (rows->step()) {
    past.push_back({static_cast<int>(rows->integer(0)), rows->integer(1), worker_id{rows->integer(2)},
                    static_cast<attempt_outcome>(rows->integer(3)), at(rows->integer(4)),
                    at(rows->integer(5)), rows->text(6), rows->text(7)});
  }
  return past;
}

std::optional<stored_job> database::find(job_id id) {
  stored_job job;
  job.id = id;
  {
    const used row =
        use("SELECT queue, handler, priority, created, envelope, limit_id FROM weft_job WHERE id = ?",
            "find a job");
    if (!row->bind(static_cast<std::int64_t>(id)).step()) return std::nullopt;
    job.queue = name_of_queue(row->integer(0));
    job.handler = identity_of(row->integer(1));
    job.priority = static_cast<int>(row->integer(2));
    job.created = at(row->integer(3));
    job.envelope = row->text(4);
    if (row->integer(5) != 0) job.limit = name_of_limit(row->integer(5));
  }
  fill_state(job);
  fill_details(job);
  job.past = past_of(static_cast<std::int64_t>(id));
  return job;
}

std::vector<stored_job> database::list(const list_filter& filter) {
  std::vector<stored_job> jobs;
  const auto queue = filter.queue.empty() ? std::optional<std::int64_t>(0) : find_queue(filter.queue);
  if (!queue) return jobs;
  const used rows =
      filter.tag.empty()
          ? use("SELECT id, queue, handler, priority, created, envelope FROM weft_job"
                " WHERE id < ?1 AND (?2 = 0 OR queue = ?2) ORDER BY id DESC",
                "list jobs")
          : use("SELECT j.id, j.queue, j.handler, j.priority, j.created, j.envelope FROM weft_tag t"
                " CROSS JOIN weft_job j ON j.id = t.job"
                " WHERE t.tag = ?3 AND t.job < ?1 AND (?2 = 0 OR j.queue = ?2) ORDER BY t.job DESC",
                "list jobs with a tag");
  rows->bind(filter.before ? static_cast<std::int64_t>(*filter.before) : INT64_MAX).bind(*queue);
  if (!filter.tag.empty()) rows->bind(filter.tag);
  const std::size_t limit = std::min(filter.limit, listed_max);
  for (std::size_t seen = 0; jobs.size() < limit && seen < looked_at_max && rows->step(); ++seen) {
    stored_job job;
    job.id = job_id{rows->integer(0)};
    if (!fill_state(job) || (filter.state && *filter.state != job.state)) continue;
    if (!filter.state && filter.without_done && job.state == job_state::done) continue;
    job.queue = name_of_queue(rows->integer(1));
    job.handler = identity_of(rows->integer(2));
    job.priority = static_cast<int>(rows->integer(3));
    job.created = at(rows->integer(4));
    job.envelope = rows->text(5);
    job.tags = tags_of(rows->integer(0));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

std::vector<queue_stats> database::stats() {
  std::map<std::int64_t, queue_stats> by_queue;
  const used rows =
      use("SELECT queue, 1, count(*) FROM weft_ready GROUP BY queue"
          " UNION ALL SELECT queue, 0, count(*) FROM weft_scheduled GROUP BY queue"
          " UNION ALL SELECT queue, 2, count(*) FROM weft_running GROUP BY queue"
          " UNION ALL SELECT queue, 7, count(*) FROM weft_blocked GROUP BY queue"
          " UNION ALL SELECT queue, 3, count(*) FROM weft_done GROUP BY queue"
          " UNION ALL SELECT queue, state, count(*) FROM weft_dead GROUP BY queue, state",
          "count jobs");
  while (rows->step()) {
    auto& of = by_queue[rows->integer(0)];
    const std::int64_t count = rows->integer(2);
    switch (static_cast<job_state>(rows->integer(1))) {
      case job_state::scheduled:
        of.scheduled = count;
        break;
      case job_state::ready:
        of.ready = count;
        break;
      case job_state::running:
        of.running = count;
        break;
      case job_state::done:
        of.done = count;
        break;
      case job_state::dead:
        of.dead = count;
        break;
      case job_state::cancelled:
        of.cancelled = count;
        break;
      case job_state::quarantined:
        of.quarantined = count;
        break;
      case job_state::blocked:
        of.blocked = count;
        break;
    }
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
      use("SELECT 1, count(*) FROM weft_tag t CROSS JOIN weft_ready s ON s.id = t.job WHERE t.tag = ?1"
          " UNION ALL SELECT 0, count(*) FROM weft_tag t CROSS JOIN weft_scheduled s ON s.id = t.job"
          " WHERE t.tag = ?1"
          " UNION ALL SELECT 2, count(*) FROM weft_tag t CROSS JOIN weft_running s ON s.id = t.job"
          " WHERE t.tag = ?1"
          " UNION ALL SELECT 7, count(*) FROM weft_tag t CROSS JOIN weft_blocked s ON s.id = t.job"
          " WHERE t.tag = ?1"
          " UNION ALL SELECT 3, count(*) FROM weft_tag t CROSS JOIN weft_done s ON s.id = t.job"
          " WHERE t.tag = ?1"
          " UNION ALL SELECT s.state, count(*) FROM weft_tag t CROSS JOIN weft_dead s ON s.id = t.job"
          " WHERE t.tag = ?1 GROUP BY s.state",
          "count jobs with a tag");
  rows->bind(tag);
  while (rows->step()) count_of(counts, static_cast<job_state>(rows->integer(0))) += rows->integer(1);
  return counts;
}

std::int64_t database::count_unroutable(const std::function<bool(std::string_view)>& routable) {
  std::int64_t count = 0;
  const used rows =
      use("SELECT handler, count(*) FROM (SELECT handler FROM weft_ready UNION ALL SELECT handler FROM "
          "weft_scheduled UNION ALL SELECT handler FROM weft_blocked)"
          " GROUP BY handler",
          "count jobs of unknown closures");
  while (rows->step()) {
    if (!routable(identity_of(rows->integer(0)))) count += rows->integer(1);
  }
  return count;
}

std::size_t database::purge(moment before, moment now, std::size_t limit) {
  std::vector<std::int64_t> ended;
  {
    const used rows =
        use("SELECT id FROM (SELECT id, finished FROM weft_done WHERE finished < ?1"
            " UNION ALL SELECT id, finished FROM weft_dead WHERE finished < ?1 AND state <> ?2) LIMIT ?3",
            "find old jobs");
    rows->bind(before.time_since_epoch().count())
        .bind(static_cast<std::int64_t>(job_state::quarantined))
        .bind(static_cast<std::int64_t>(limit));
    while (rows->step()) ended.push_back(rows->integer(0));
  }
  for (const std::int64_t id : ended) {
    cancel_children(id, now);
    use("DELETE FROM weft_done WHERE id = ?", "delete an old job")->bind(id).run();
    use("DELETE FROM weft_dead WHERE id = ?", "delete an old job")->bind(id).run();
    use("DELETE FROM weft_attempt WHERE job = ?", "delete an old job")->bind(id).run();
    use("DELETE FROM weft_tag WHERE job = ?", "delete an old job")->bind(id).run();
    use("DELETE FROM weft_result WHERE job = ?", "delete an old job")->bind(id).run();
    use("DELETE FROM weft_step WHERE job = ?", "delete an old job")->bind(id).run();
    use("DELETE FROM weft_unique WHERE job = ? AND at_least <= ?", "delete an old job")
        ->bind(id)
        .bind(before.time_since_epoch().count())
        .run();
    use("DELETE FROM weft_job WHERE id = ?", "delete an old job")->bind(id).run();
  }
  forget_keys(before, limit);
  return ended.size();
}

}  // namespace weft::jobs::sqlite
