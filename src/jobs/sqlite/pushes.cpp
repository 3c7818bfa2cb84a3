#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

namespace weft::inline v1::jobs::sqlite {
namespace {

/// The id of `name` in a table of names, made if it is new.
std::int64_t id_of_name(const database::used& find, const database::used& add, std::string_view name) {
  if (find->bind(name).step()) return find->integer(0);
  add->bind(name).step();
  const std::int64_t id = add->integer(0);
  add->run();
  return id;
}

}  // namespace

database::used database::use(const char* sql, const char* purpose) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return used(found->second.reset());
  return used(statements_.emplace(sql, statement(connection_.handle(), sql, purpose)).first->second);
}

void database::forget_turn() {
  turn_counts_.clear();
  forget_request();
}

void database::forget_request() {
  request_counts_.clear();
  queues_.clear();
  handlers_.clear();
  identities_.clear();
  queue_names_.clear();
}

std::int64_t database::queue_id(std::string_view name) {
  const auto known = queues_.find(name);
  if (known != queues_.end()) return known->second;
  const std::int64_t id =
      id_of_name(use("SELECT id FROM weft_queue WHERE name = ?", "find the queue"),
                 use("INSERT INTO weft_queue (name) VALUES (?) RETURNING id", "add the queue"), name);
  queues_.emplace(name, id);
  return id;
}

std::int64_t database::handler_id(std::string_view identity) {
  const auto known = handlers_.find(identity);
  if (known != handlers_.end()) return known->second;
  const std::int64_t id = id_of_name(
      use("SELECT id FROM weft_handler WHERE identity = ?", "find the closure"),
      use("INSERT INTO weft_handler (identity) VALUES (?) RETURNING id", "add the closure"), identity);
  handlers_.emplace(identity, id);
  return id;
}

std::optional<std::int64_t> database::find_queue(std::string_view name) {
  const auto known = queues_.find(name);
  if (known != queues_.end()) return known->second;
  const used find = use("SELECT id FROM weft_queue WHERE name = ?", "find the queue");
  if (!find->bind(name).step()) return std::nullopt;
  return queues_.emplace(name, find->integer(0)).first->second;
}

std::string database::name_of_queue(std::int64_t id) {
  const auto known = queue_names_.find(id);
  if (known != queue_names_.end()) return known->second;
  const used find = use("SELECT name FROM weft_queue WHERE id = ?", "find the queue's name");
  if (!find->bind(id).step()) return {};
  return queue_names_.emplace(id, find->text(0)).first->second;
}

std::string database::identity_of(std::int64_t handler) {
  const auto known = identities_.find(handler);
  if (known != identities_.end()) return known->second;
  const used find = use("SELECT identity FROM weft_handler WHERE id = ?", "find the closure's identity");
  if (!find->bind(handler).step()) return {};
  return identities_.emplace(handler, find->text(0)).first->second;
}

bool database::is_paused(std::int64_t queue) {
  const used row = use("SELECT paused FROM weft_queue WHERE id = ?", "look whether the queue is paused");
  return row->bind(queue).step() && row->integer(0) != 0;
}

void database::set_paused(std::string_view queue, bool paused) {
  use("UPDATE weft_queue SET paused = ? WHERE id = ?", "pause or resume a queue")
      ->bind(std::int64_t{paused})
      .bind(queue_id(queue))
      .run();
  if (!paused) has_new_work_ = true;
}

job_id database::push(const new_job& job) {
  if (job.unique) {
    if (const auto holder = take_key(job.id, *job.unique, job.created)) return *holder;
  }
  const std::int64_t pending = add_dependencies(job);
  place where{.id = static_cast<std::int64_t>(job.id),
              .queue = queue_id(job.queue),
              .handler = handler_id(job.handler),
              .priority = job.priority,
              .run_at = micros(job.run_at),
              .backoffs = job.backoffs,
              .flags = (job.unique ? flag_unique : 0) | (pending > 0 ? flag_child : 0) |
                       (job.before ? flag_parent : 0) | (job.tags.empty() ? 0 : flag_tagged) |
                       (job.expires ? flag_expires : 0)};
  if (job.before) add_dependent(job.id, *job.before);
  if (job.limit) where.limit = limit_id(*job.limit, job.created);
  const used row =
      use("INSERT INTO weft_job (id, queue, handler, priority, created, envelope, limit_id, expires)"
          " VALUES (?,?,?,?,?,?,?,?)",
          "push a job");
  row->bind(where.id)
      .bind(where.queue)
      .bind(where.handler)
      .bind(where.priority)
      .bind(micros(job.created))
      .bind_blob(job.envelope)
      .bind(where.limit);
  job.expires ? row->bind(micros(*job.expires)) : row->bind_null();
  row->run();
  set_expiry(job);
  const auto what = pending > 0                ? job_event::pushed_behind
                    : job.run_at > job.created ? job_event::pushed_ahead
                                               : job_event::pushed;
  enter(where, state_after(what), {.pending = pending});
  put_tags(job, state_after(what));
  return job.id;
}

void database::put_tags(const new_job& job, job_state state) {
  for (const auto& tag : job.tags) {
    use("INSERT OR IGNORE INTO weft_tag (job, tag, state) VALUES (?,?,?)", "tag a job")
        ->bind(static_cast<std::int64_t>(job.id))
        .bind(tag)
        .bind(static_cast<std::int64_t>(state))
        .run();
  }
}

void database::move_tags(std::int64_t id, job_state to) {
  use("UPDATE weft_tag SET state = ?2 WHERE job = ?1 AND state <> ?2", "move the tags of a job")
      ->bind(id)
      .bind(static_cast<std::int64_t>(to))
      .run();
}

}  // namespace weft::inline v1::jobs::sqlite
