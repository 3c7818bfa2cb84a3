#include "jobs/postgres/own_transaction.hpp"

#include <array>

#include <weft/core/error.hpp>

#include "jobs/postgres/pushes.hpp"

namespace weft::inline v1::jobs::postgres {

own_transaction::own_transaction(postgres_store& of, ::pg_conn* connection, bool wake)
    : store_(of), link_(connection), wake_(wake) {}

job_id own_transaction::push(const new_job& job) {
  link_.require_usable();
  make_known(job);
  const new_job* const only = &job;
  const parameters with = push_parameters(nullptr, {&only, 1}, false);
  const statement pushing{wake_ ? push_by_names_and_wake : push_by_names, &with};
  if (link_.is_in_transaction()) return push_in_savepoint(link_, pushing);
  return pushed_ids(link_.run_all({&pushing, 1}).front()).at(0);
}

// Rows of names and limits are made in a transaction of the store's, as others would wait for the user's. But
// not where the user's has made them itself, by SQL: the store would wait for it, and it for the store.
void own_transaction::make_known(const new_job& job) {
  if (!job.limit && store_.knows(job)) return;
  parameters with;
  with.text(job.queue).text(job.handler);
  with.text(job.limit ? std::optional<std::string_view>(job.limit->key) : std::nullopt);
  const statement seen{
      "SELECT EXISTS (SELECT 1 FROM weft.weft_line l JOIN weft.weft_queue q ON q.id = l.queue"
      " JOIN weft.weft_handler h ON h.id = l.handler WHERE q.name = $1 AND h.identity = $2)"
      " AND ($3 IS NULL OR EXISTS (SELECT 1 FROM weft.weft_limit WHERE name = $3))",
      &with};
  try {
    if (link_.run_all({&seen, 1}).front().boolean(0, 0)) return;
  } catch (const database_error& failed) {
    if (failed.state() != "42P01" && failed.state() != "3F000") throw;
    throw database_error(failed.state(),
                         "jobs: push in a transaction of one's own: the database of its connection has no "
                         "schema weft; connect to that of the queue");
  }
  store_.make_known(job);
}

sql_rows own_transaction::run(std::string_view, std::span<const sql_value>) {
  throw error(errc::unsupported, "jobs: run a statement: use the connection");
}

}  // namespace weft::inline v1::jobs::postgres
