#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/bell.hpp"
#include "jobs/end_bells.hpp"
#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/database.hpp"
#include "jobs/sqlite/process_bell.hpp"
#include "jobs/sqlite/schema.hpp"
#include "jobs/sqlite/turn_queue.hpp"
#include "jobs/sqlite/writer_lock.hpp"

namespace weft::inline v1::jobs::sqlite {

/// Who waits for new work, and for the ends of jobs.
struct listeners {
  explicit listeners(const std::string& database_path) : others(database_path) {}
  jobs::bell bell;
  end_bells ends;
  process_bell others;                     ///< in other processes
  std::atomic<bool> any{false};            ///< somebody has ever waited, so changes of other processes matter
  std::atomic<bool> heard_at_once{false};  ///< such changes; else only by looking
};

/// What the writer thread does: turns, checkpoints, and looking for changes of other processes.
class writer {
 public:
  writer(connection& on, writer_lock& lock, database& statements, turn_queue& requests, listeners& heard,
         const store_options& options);

  /// Serves requests until the queue is closed and empty.
  void run();

 private:
  /// When to look for changes of other processes, if not before.
  steady_time next_look() const;
  void turn();
  /// Reads, and claims that find nothing, need no transaction; they leave `taken_`.
  void serve_without_transaction();
  void write();
  void write_under_lock();
  /// Applies them all in one transaction. False if a request failed: the transaction is gone, and those that
  /// have not been finished may try again.
  bool try_transaction();
  /// Without savepoints, which are two statements more for each; one that fails takes the others along.
  bool apply_together();
  /// Each in a savepoint of its own, so that one that fails changes nothing for the others.
  bool apply_apart();
  void commit();
  void bury_failed_commit() noexcept;
  /// False if it failed; its error says why.
  bool apply(request& one);
  /// False if the transaction is gone.
  bool apply_in_savepoint(request& one);
  /// Finishes the request that broke the transaction, and the bodies that ran in it before.
  void give_up_with(request*& culprit);
  void finish_all(const std::exception_ptr& error);
  void remove_finished();
  void ring_if_needed();
  void checkpoint_if_needed();
  void notice_other_processes();

  connection& connection_;
  schema_watch schema_;
  writer_lock& lock_;
  database& database_;
  turn_queue& requests_;
  listeners& listeners_;
  const store_options& options_;
  std::vector<request*> taken_;  // requests of this turn that are not finished
  bool apart_ = false;           // one of this turn has failed, or code of a user must not run twice
  std::int64_t data_version_ = 0;
  int checkpoint_at_pages_;
  int pages_before_ = 0;
};

}  // namespace weft::inline v1::jobs::sqlite
