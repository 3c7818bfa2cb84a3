#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs::postgres {

/// What the workers of one store hold, as they were told.
///
/// Claims and ends need not be durable: a server that comes back from a crash, and a standby that takes over,
/// may have forgotten the last of them. A claim that was forgotten is refused its end, and another one gets
/// the job. An end that was forgotten leaves a job with a worker that knows nothing of it any more, and that
/// lives: nobody would take it over. So a worker looks, with a heartbeat on a new session and else now and
/// then, what it has by the database, and gives back what it does not know at two looks.
///
/// Thread-safety: all members, from any thread.
class held_claims {
 public:
  using claim = std::pair<job_id, std::int64_t>;  // with its fence

  /// A claim that is asked for. What it takes is not unknown before it is answered.
  class question {
   public:
    explicit question(held_claims& of);
    question(const question&) = delete;
    question& operator=(const question&) = delete;
    ~question();
    /// Takes out those that the worker has under the same fence: their first claim was forgotten, and they
    /// run.
    void answered(worker_id owner, std::vector<claimed_job>& jobs);

   private:
    held_claims& of_;
    std::uint64_t number_ = 0;
  };

  void ended(const attempt_end& end);
  /// The worker joins or leaves, or was taken for dead.
  void forget(worker_id owner);

  /// A claim of the worker failed, perhaps after it was done: the next heartbeat looks.
  void look_soon(worker_id owner);
  /// After a heartbeat on that session: is it time to look what the database has?
  bool wants_look(worker_id owner, std::int64_t session);
  /// Of what the database has: what the worker has not, now and when it looked before.
  std::vector<claim> unknown(worker_id owner, const std::vector<claim>& in_database);

 private:
  struct holding {
    std::set<claim> known;
    std::set<claim> suspects;      // that were unknown at the last look
    std::uint64_t asked_then = 0;  // claims that were asked for by then
    std::int64_t session = 0;      // of the last heartbeat; 0: there was none
    std::size_t beats_since_look = 0;
  };

  std::mutex mutex_;
  std::map<worker_id, holding> workers_;  // guarded by mutex_
  std::set<std::uint64_t> open_;          // guarded by mutex_; questions without an answer
  std::uint64_t asked_ = 0;               // guarded by mutex_
};

}  // namespace weft::inline v1::jobs::postgres
