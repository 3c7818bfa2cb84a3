#include "jobs/sqlite/database.hpp"

namespace weft::jobs::sqlite {
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

void database::forget_names() {
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

void database::push(const new_job& job) {
  const place where{static_cast<std::int64_t>(job.id),
                    queue_id(job.queue),
                    handler_id(job.handler),
                    job.priority,
                    job.run_at.time_since_epoch().count(),
                    0,
                    0,
                    0,
                    0};
  use("INSERT INTO weft_job (id, queue, handler, priority, created, envelope) VALUES (?,?,?,?,?,?)",
      "push a job")
      ->bind(where.id)
      .bind(where.queue)
      .bind(where.handler)
      .bind(where.priority)
      .bind(job.created.time_since_epoch().count())
      .bind_blob(job.envelope)
      .run();
  put_waiting(where, job.created);
}

void database::put_waiting(const place& job, moment now) {
  if (job.run_at > now.time_since_epoch().count()) {
    put_scheduled(job);
  } else {
    put_ready(job);
  }
}

void database::put_ready(const place& job) {
  put_into(
      "INSERT INTO weft_ready (queue, priority, run_at, id, handler, attempts, backoffs, crashes, fence)"
      " VALUES (?,?,?,?,?,?,?,?,?)",
      "make a job ready", job);
}

void database::put_scheduled(const place& job) {
  put_into(
      "INSERT INTO weft_scheduled (queue, priority, run_at, id, handler, attempts, backoffs, crashes, fence)"
      " VALUES (?,?,?,?,?,?,?,?,?)",
      "schedule a job", job);
}

void database::put_into(const char* insert, const char* what, const place& job) {
  use(insert, what)
      ->bind(job.queue)
      .bind(job.priority)
      .bind(job.run_at)
      .bind(job.id)
      .bind(job.handler)
      .bind(job.attempts)
      .bind(job.backoffs)
      .bind(job.crashes)
      .bind(job.fence)
      .run();
}

}  // namespace weft::jobs::sqlite
