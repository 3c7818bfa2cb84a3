#pragma once

#include <memory>

#include <weft/closure/closure.hpp>
#include <weft/jobs/job.hpp>
#include <weft/jobs/transaction.hpp>

struct pg_conn;  // libpq's PGconn

namespace weft::inline v1::jobs {

class queue;

struct postgres_push_options {
  /// Idle workers are told at the commit (NOTIFY, which makes commits of the server take turns at a lock).
  /// False: they find the job at their next look, within store_options::poll_interval.
  bool wake = true;
};

/// Pushes in the program's own transaction, on a connection of its own to the database of the queue: they
/// commit with what else it does there, or not at all. Signed, as any push of the queue.
///
///     PQexec(connection, "BEGIN");
///     PQexecParams(connection, "INSERT INTO customer ...", ...);
///     jobs::postgres_transaction(queue, connection).push(closure{send_welcome, user_id{42}});
///     PQexec(connection, "COMMIT");
///
/// Where no transaction is open, each push is one. The connection's role needs the rights of a worker.
///
/// Thread-safety: as the connection, one at a time. A push blocks its thread for a round trip, two for the
/// first of a queue and closure and for those with a limit; on a fiber it holds up the loop, but with
/// libweft_hook loaded. A cancellation point until it is sent. Lifetime: the queue and the connection outlive
/// it. A savepoint keeps the transaction usable where a push fails. Throws weft::error: unsupported (the
/// queue is not in PostgreSQL), invalid_argument (no connection), misuse (the transaction has failed, results
/// of a statement are still to be read, or pipeline mode is on), not_found (the database has no schema weft),
/// unavailable (the connection is lost: its transaction is undone, and a push without one is in doubt),
/// refused (the role may not), and what queue::push throws.
class postgres_transaction {
 public:
  postgres_transaction(queue& of, ::pg_conn* connection, const postgres_push_options& how = {});
  postgres_transaction(const postgres_transaction&) = delete;
  postgres_transaction& operator=(const postgres_transaction&) = delete;
  ~postgres_transaction();

  /// As queue::push; the id is of use once the transaction has committed. Where an open transaction has
  /// pushed a job with the same unique key, it waits for the end of that.
  template <typename Result>
  job_id push(const closure<Result>& what, const push_options& options = {}) {
    return inside_.push(what, options);
  }

 private:
  std::unique_ptr<store_transaction> raw_;
  transaction inside_;
};

}  // namespace weft::inline v1::jobs
