#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <weft/closure/closure.hpp>
#include <weft/jobs/job.hpp>
#include <weft/jobs/pushed_closure.hpp>
#include <weft/jobs/sql.hpp>

struct sqlite3;

namespace weft::inline v1::jobs {

class queue;
class store_transaction;

/// The body's side of queue::transact: the user's statements and pushes that commit together.
///
/// Only inside the body, on the task that the body runs on. Nothing in it may wait: a wait of weft
/// throws weft::error (misuse).
class transaction {
 public:
  transaction(queue& of, store_transaction& raw) noexcept : queue_(of), raw_(raw) {}
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  /// weft's writer connection, for statements of one's own: include <sqlite3.h>. BEGIN, COMMIT and
  /// ROLLBACK are denied, and so is writing to tables whose name begins with weft_. Finalise what you
  /// prepare. Throws weft::error (unsupported) where the store is not SQLite.
  ::sqlite3* sqlite() const;

  /// Runs one statement with its parameters in order; returns the number of rows it changed. Throws
  /// weft::error: already_exists (a UNIQUE or PRIMARY KEY constraint), invalid_argument, storage_full.
  template <typename... Args>
  std::int64_t execute(std::string_view sql, Args&&... args) {
    return execute_values(sql, {detail::to_sql(std::forward<Args>(args))...});
  }
  /// Runs one statement and returns its rows.
  template <typename... Args>
  sql_rows query(std::string_view sql, Args&&... args) {
    return query_values(sql, {detail::to_sql(std::forward<Args>(args))...});
  }

  /// Pushes the closure with the transaction; see queue::push.
  template <typename Result>
  job_id push(const closure<Result>& what, const push_options& options = {}) {
    return push_closure(detail::describe_closure(what), options);
  }

 private:
  std::int64_t execute_values(std::string_view sql, const std::vector<sql_value>& values);
  sql_rows query_values(std::string_view sql, const std::vector<sql_value>& values);
  job_id push_closure(const detail::pushed_closure& what, const push_options& options);

  queue& queue_;
  store_transaction& raw_;
};

}  // namespace weft::inline v1::jobs
