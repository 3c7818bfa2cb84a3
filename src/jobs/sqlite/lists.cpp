#include <algorithm>
#include <array>
#include <cstdint>

#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// Lists, newest first. Ids come from an index in their order, whatever is asked for, so a page costs as much
// as it holds: from the tables of the states where one is named, those of a queue from all of these, all from
// weft_job, and those of a tag from weft_tag. Jobs are passed over only with a tag and a queue, those of the
// tag in other queues, and among those that run, which are few. Ready ones of all queues are merged.

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr std::size_t listed_max = 10'000;

struct id_queries {
  const char* of_all;
  const char* of_queue;
};

// Parameters: before which id, how many, the queue; those who are given up also have the state.
id_queries queries_for(job_state state) {
  switch (state) {
    case job_state::scheduled:
      return {
          "SELECT id FROM weft_scheduled INDEXED BY weft_scheduled_id WHERE id < ?1 ORDER BY id DESC LIMIT "
          "?2",
          "SELECT id FROM weft_scheduled INDEXED BY weft_scheduled_queue WHERE queue = ?3 AND id < ?1 ORDER "
          "BY id DESC LIMIT ?2"};
    case job_state::ready:
      return {nullptr,
              "SELECT id FROM weft_ready INDEXED BY weft_ready_queue WHERE queue = ?3 AND id < ?1 ORDER BY "
              "id DESC LIMIT ?2"};
    case job_state::running:
      return {
          "SELECT id FROM weft_running NOT INDEXED WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
          "SELECT id FROM weft_running NOT INDEXED WHERE queue = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2"};
    case job_state::done:
      return {"SELECT id FROM weft_done NOT INDEXED WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
              "SELECT id FROM weft_done INDEXED BY weft_done_queue WHERE queue = ?3 AND id < ?1 ORDER BY id "
              "DESC LIMIT ?2"};
    case job_state::blocked:
      return {"SELECT id FROM weft_blocked NOT INDEXED WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
              "SELECT id FROM weft_blocked INDEXED BY weft_blocked_queue WHERE queue = ?3 AND id < ?1 ORDER "
              "BY id DESC LIMIT ?2"};
    case job_state::dead:
    case job_state::cancelled:
    case job_state::quarantined:
      break;
  }
  return {
      "SELECT id FROM weft_dead INDEXED BY weft_dead_state WHERE state = ?3 AND id < ?1"
      " ORDER BY id DESC LIMIT ?2",
      "SELECT id FROM weft_dead INDEXED BY weft_dead_queue WHERE state = ?4 AND queue = ?3 AND id < ?1"
      " ORDER BY id DESC LIMIT ?2"};
}

bool is_given_up(job_state state) noexcept { return can(state, job_event::retried); }

constexpr std::array all_states{job_state::scheduled,   job_state::ready,  job_state::running,
                                job_state::done,        job_state::dead,   job_state::cancelled,
                                job_state::quarantined, job_state::blocked};

void keep_newest(std::vector<std::int64_t>& ids, std::size_t limit) {
  std::sort(ids.begin(), ids.end(), std::greater<>());
  if (ids.size() > limit) ids.resize(limit);
}

}  // namespace

std::vector<std::int64_t> database::ids_in(job_state state, std::int64_t queue, std::int64_t before,
                                           std::size_t limit) {
  if (state == job_state::ready && queue == 0) return ids_of_ready(before, limit);
  const id_queries queries = queries_for(state);
  const used rows = use(queue == 0 ? queries.of_all : queries.of_queue, "list jobs of a state");
  rows->bind(before).bind(static_cast<std::int64_t>(limit));
  if (queue != 0) rows->bind(queue);
  if (is_given_up(state)) rows->bind(static_cast<std::int64_t>(state));
  std::vector<std::int64_t> ids;
  while (rows->step()) ids.push_back(rows->integer(0));
  return ids;
}

std::vector<std::int64_t> database::ids_of_ready(std::int64_t before, std::size_t limit) {
  std::vector<std::int64_t> queues;
  {
    const used rows = use("SELECT id FROM weft_queue", "find the queues");
    while (rows->step()) queues.push_back(rows->integer(0));
  }
  std::vector<std::int64_t> ids;
  for (const std::int64_t queue : queues) {
    const auto more = ids_in(job_state::ready, queue, before, limit);
    ids.insert(ids.end(), more.begin(), more.end());
    keep_newest(ids, limit);
  }
  return ids;
}

std::vector<std::int64_t> database::ids_merged(bool with_done, std::int64_t queue, std::int64_t before,
                                               std::size_t limit) {
  std::vector<std::int64_t> ids;
  for (const auto state : all_states) {
    if (state == job_state::done && !with_done) continue;
    const auto more = ids_in(state, queue, before, limit);
    ids.insert(ids.end(), more.begin(), more.end());
  }
  keep_newest(ids, limit);
  return ids;
}

std::vector<std::int64_t> database::ids_of_all(std::int64_t queue, std::int64_t before, std::size_t limit) {
  if (queue != 0) return ids_merged(true, queue, before, limit);
  const used rows =
      use("SELECT id FROM weft_job NOT INDEXED WHERE id < ?1 ORDER BY id DESC LIMIT ?2", "list jobs");
  rows->bind(before).bind(static_cast<std::int64_t>(limit));
  std::vector<std::int64_t> ids;
  while (rows->step()) ids.push_back(rows->integer(0));
  return ids;
}

bool database::fill_row(stored_job& job) {
  const used row =
      use("SELECT queue, handler, priority, created, envelope, limit_id FROM weft_job WHERE id = ?",
          "find a job");
  if (!row->bind(static_cast<std::int64_t>(job.id)).step()) return false;
  job.queue = name_of_queue(row->integer(0));
  job.handler = identity_of(row->integer(1));
  job.priority = static_cast<int>(row->integer(2));
  job.created = moment_at(row->integer(3));
  job.envelope = row->text(4);
  if (row->integer(5) != 0) job.limit = name_of_limit(row->integer(5));
  return true;
}

std::vector<stored_job> database::list(const list_filter& filter) {
  const auto queue = filter.queue.empty() ? std::optional<std::int64_t>(0) : find_queue(filter.queue);
  if (!queue) return {};
  const std::int64_t before = filter.before ? static_cast<std::int64_t>(*filter.before) : INT64_MAX;
  const std::size_t limit = std::min(filter.limit, listed_max);
  std::vector<stored_job> jobs;
  for (const std::int64_t id : !filter.tag.empty()   ? ids_tagged(filter, *queue, before, limit)
                               : filter.state        ? ids_in(*filter.state, *queue, before, limit)
                               : filter.without_done ? ids_merged(false, *queue, before, limit)
                                                     : ids_of_all(*queue, before, limit)) {
    stored_job job;
    job.id = job_id{id};
    if (fill_state(job)) add_listed(std::move(job), jobs);
  }
  return jobs;
}

std::vector<std::int64_t> database::ids_tagged(const list_filter& filter, std::int64_t queue,
                                               std::int64_t before, std::size_t limit) {
  if (filter.state) return ids_tagged(filter.tag, *filter.state, queue, before, limit);
  std::vector<std::int64_t> ids;
  for (const auto state : all_states) {
    if (filter.without_done && state == job_state::done) continue;
    const auto more = ids_tagged(filter.tag, state, queue, before, limit);
    ids.insert(ids.end(), more.begin(), more.end());
  }
  keep_newest(ids, limit);
  return ids;
}

// Running ones are told from ready ones by weft_running, which is small.
std::vector<std::int64_t> database::ids_tagged(std::string_view tag, job_state state, std::int64_t queue,
                                               std::int64_t before, std::size_t limit) {
  const used rows = state == job_state::running
                        ? use("SELECT r.id FROM weft_running r WHERE r.id < ?2 AND (?3 = 0 OR r.queue = ?3)"
                              " AND EXISTS (SELECT 1 FROM weft_tag t WHERE t.job = r.id AND t.tag = ?1)"
                              " ORDER BY r.id DESC LIMIT ?4",
                              "list running jobs with a tag")
                        : use("SELECT t.job FROM weft_tag t WHERE t.tag = ?1 AND t.state = ?5 AND t.job < ?2"
                              " AND (?3 = 0 OR ?3 = (SELECT queue FROM weft_job j WHERE j.id = t.job))"
                              " AND (?5 <> 1 OR NOT EXISTS (SELECT 1 FROM weft_running r WHERE r.id = t.job))"
                              " ORDER BY t.job DESC LIMIT ?4",
                              "list jobs with a tag");
  rows->bind(tag).bind(before).bind(queue).bind(static_cast<std::int64_t>(limit));
  if (state != job_state::running) rows->bind(static_cast<std::int64_t>(state));
  std::vector<std::int64_t> ids;
  while (rows->step()) ids.push_back(rows->integer(0));
  return ids;
}

void database::add_listed(stored_job job, std::vector<stored_job>& to) {
  if (!fill_row(job)) return;
  job.limit.clear();
  job.tags = tags_of(static_cast<std::int64_t>(job.id));
  to.push_back(std::move(job));
}

// From one tag to the next by the index, which has its jobs side by side.
std::vector<std::string> database::tags(std::string_view start, std::string_view before, std::size_t limit) {
  std::string end(before);
  if (end.empty()) end = std::string(start) + '\xff';  // in no text of UTF-8
  std::vector<std::string> all;
  while (all.size() < limit) {
    const used row =
        use("SELECT tag FROM weft_tag WHERE tag >= ?1 AND tag < ?2 ORDER BY tag DESC LIMIT 1", "list tags");
    if (!row->bind(start).bind(end).step()) break;
    end = row->text(0);
    all.push_back(end);
  }
  return all;
}

}  // namespace weft::inline v1::jobs::sqlite
