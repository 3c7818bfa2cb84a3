#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/sqlite/connection.hpp"

namespace weft::jobs::sqlite {

/// The statements of the store on one connection: what each request does, within the transaction that
/// the writer has begun. Read schema.cpp first.
///
/// One thread: the writer's.
class database {
 public:
  explicit database(connection& to) : connection_(to) {}

  // pushes.cpp
  void push(const new_job& job);

  // claims.cpp
  bool is_idle(const claim_request& request, claim_result& result);
  void claim(const claim_request& request, claim_result& result);

  // attempts.cpp
  bool finish(const attempt_end& end);
  bool holds(job_id id, worker_id owner, std::int64_t fence);
  bool cancel(job_id id, moment now);
  bool retry(job_id id, moment now);

  // owners.cpp
  void add_worker(const worker_row& worker);
  std::vector<job_id> beat(worker_id owner);
  void remove_worker(worker_id owner);
  std::vector<worker_row> workers();
  std::size_t rescue(worker_id owner, moment now, int crashes_max);

  // reads.cpp
  std::optional<stored_job> find(job_id id);
  std::vector<stored_job> list(const list_filter& filter);
  std::vector<queue_stats> stats();
  std::int64_t count_unroutable(const std::function<bool(std::string_view)>& routable);
  std::size_t purge(moment before, std::size_t limit);

  /// A statement in use: reset at the end, since one that is left in the middle keeps a snapshot open.
  class used {
   public:
    explicit used(statement& of) noexcept : statement_(&of) {}
    used(const used&) = delete;
    used& operator=(const used&) = delete;
    ~used() { statement_->reset(); }
    statement* operator->() const noexcept { return statement_; }

   private:
    statement* statement_;
  };
  /// A statement by its text, a literal; prepared once.
  used use(const char* sql, const char* purpose);
  /// Forgets the ids of names: after a rollback they may not exist.
  void forget_names();

 private:
  /// What a job carries along through ready, scheduled and running.
  struct place {
    std::int64_t id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence;
  };
  struct held : place {
    std::int64_t owner, started;
  };

  std::int64_t queue_id(std::string_view name);
  std::optional<std::int64_t> find_queue(std::string_view name);
  std::int64_t handler_id(std::string_view identity);
  std::string name_of_queue(std::int64_t id);
  std::string identity_of(std::int64_t handler);

  void put_waiting(const place& job, moment now);
  void put_ready(const place& job);
  void put_scheduled(const place& job);
  void put_into(const char* insert, const char* what, const place& job);
  void put_ended(const place& job, job_state state, moment now);
  void put_attempt(const place& job, std::int64_t owner, const stored_attempt& attempt);

  void promote(const claim_request& request);
  std::optional<moment> next_due();
  void claim_from(std::int64_t queue, const claim_request& request, claim_result& result);
  void take_over(const place& job, const claim_request& request, claim_result& result);

  std::optional<held> find_running(std::int64_t id);
  std::optional<place> take_waiting(std::int64_t id);
  void leave_running(std::int64_t id);
  std::vector<held> held_by(std::int64_t owner);

  bool fill_state(stored_job& job);
  std::vector<stored_attempt> past_of(std::int64_t id);

  connection& connection_;
  std::unordered_map<const char*, statement> statements_;
  std::map<std::string, std::int64_t, std::less<>> queues_;
  std::map<std::string, std::int64_t, std::less<>> handlers_;
  std::unordered_map<std::int64_t, std::string> identities_;
  std::unordered_map<std::int64_t, std::string> queue_names_;
};

}  // namespace weft::jobs::sqlite
