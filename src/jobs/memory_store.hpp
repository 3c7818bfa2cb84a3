#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/bell.hpp"
#include "jobs/end_bells.hpp"
#include "jobs/job_life.hpp"
#include "jobs/token_bucket.hpp"

namespace weft::inline v1::jobs {

/// Jobs in memory: the fake of the store interface, for tests and development. It keeps the same
/// contract but for durability, and has no statements: transactions only push. Tests derive from it, to count
/// calls and to let them take time.
class memory_store : public store {
 public:
  std::vector<job_id> push(std::span<const new_job> jobs) override;
  void transact(const std::function<void(store_transaction&)>& body,
                const transaction_options& options) override;
  claim_result claim(const claim_request& request) override;
  bool finish(const attempt_end& end) override;
  bool progress(job_id id, worker_id owner, std::int64_t fence, const job_progress& now_at) override;
  bool holds(job_id id, worker_id owner, std::int64_t fence) override;
  std::optional<std::string> step(job_id id, std::string_view name) override;
  void read_steps(job_id id, const std::function<void(std::string_view value)>& each) override;
  bool keep_step(job_id id, worker_id owner, std::int64_t fence, std::string_view name,
                 std::string_view value) override;
  void put_schedule(const stored_schedule& schedule) override;
  bool remove_schedule(std::string_view name) override;
  bool pause_schedule(std::string_view name) override;
  bool resume_schedule(std::string_view name, moment last, moment next) override;
  std::vector<stored_schedule> schedules() override;
  bool fire(const schedule_fire& fire) override;
  void add_worker(const worker_row& worker) override;
  std::vector<job_id> beat(worker_id owner) override;
  void remove_worker(worker_id owner, moment now) override;
  std::vector<worker_row> workers() override;
  worker_row lead(worker_id self, const std::optional<worker_row>& silent) override;
  std::optional<std::size_t> rescue(const worker_row& seen, moment now, int crashes_max) override;
  bool cancel(job_id id, moment now) override;
  bool retry(job_id id, moment now) override;
  std::size_t retry_all(std::string_view queue, job_state state, moment now, std::size_t limit) override;
  std::size_t purge(const purge_bounds& before, moment now, std::size_t limit) override;
  bool remove(job_id id, std::optional<job_state> seen, moment now) override;
  std::vector<stored_limit> limits(std::string_view after, std::size_t count) override;
  void set_limit(const limit_options& limit, bool pinned, moment now) override;
  bool release_limit(std::string_view key) override;
  void set_paused(std::string_view queue, bool paused) override;
  std::optional<stored_job> find(job_id id) override;
  std::vector<stored_job> list(const list_filter& filter) override;
  std::vector<queue_stats> stats() override;
  std::vector<oldest_ready> find_oldest_ready(moment now) override;
  state_counts count_tagged(std::string_view tag) override;
  std::vector<std::string> tags(std::string_view start, std::string_view before, std::size_t limit) override;
  std::int64_t count_unroutable(const std::function<bool(std::string_view handler)>& routable) override;
  std::uint64_t bell() const override { return bell_.value(); }
  std::uint64_t wait_bell(std::uint64_t seen, steady_time until) override { return bell_.wait(seen, until); }
  void ring() override { bell_.ring(); }
  std::uint64_t end_bell(job_id id) const override { return ends_.of(id).value(); }
  std::uint64_t wait_end(job_id id, std::uint64_t seen, steady_time until) override {
    return ends_.of(id).wait(seen, until);
  }

 private:
  class staged_transaction;
  /// A job's hold on its unique key.
  struct unique_hold {
    unique_key of;
    bool by_job = true;  ///< or else only for the rest of the period
  };

  struct limit_state {
    int max = 1;
    token_bucket tokens;
    std::optional<moment> wake_at;  ///< when there is a token for the jobs that wait for one
    bool pinned = false;
    std::set<job_id> jobs;  ///< that are kept
  };

  std::vector<job_id> insert(std::span<const new_job> jobs);
  job_id insert_one(const new_job& job);
  /// `ending` is about to end, and its key then free.
  std::optional<job_id> holder_of(const unique_key& key, moment now, std::optional<job_id> ending = {}) const;
  void release_key(const stored_job& job, moment now);
  void take_key_again(const stored_job& job, moment now);
  bool has_expired(job_id id, moment now) const;
  void retry_one(stored_job& job, moment now);
  /// Of a job that has gone; where its period is not over, it is kept.
  void forget_key_of(job_id id, moment before);
  void forget_keys(moment before);
  static bool is_unused(const limit_state& limit, moment now);
  void forget_limits(moment now);
  std::vector<stored_job*> routable_of(const std::string& queue, const claim_request& request,
                                       claim_result& result);
  void claim_from(const std::string& queue, const claim_request& request, std::set<std::string>& limits,
                  claim_result& result);
  void take_over(stored_job& job, const claim_request& request, claim_result& result);
  std::optional<moment> next_due() const;
  void find_due_schedules(const claim_request& request, claim_result& result) const;
  stored_job* held(job_id id, worker_id owner, std::int64_t fence);
  /// A job that waits for another.
  struct dependent {
    job_id child{};
    bool even_if_given_up = false;
  };
  /// `ending` as in holder_of.
  void check_pushes(std::span<const new_job> jobs,
                    std::optional<job_id> ending = {}) const;  // memory_waits.cpp
  void add_dependencies(stored_job& job, const new_job& from);
  void add_dependent(const new_job& from);
  void release_children(const stored_job& parent, moment now);
  void cancel_children(job_id parent, moment now);
  /// Of a job that is about to go.
  void forget_details(const stored_job& job, moment now);
  void change_limit(const limit_options& limit, moment now);
  /// What a push of that key says.
  void limit_push(const limit_options& limit, moment now);
  std::int64_t room_of(const limit_state& limit, moment now) const;
  std::int64_t places_in(const limit_state& limit) const;
  void top_up(const std::string& limit, moment now);

  void expire(moment now);

  void move(stored_job& job, job_event what, moment now);

  mutable std::mutex mutex_;                 // held for a few steps, never across a wait
  std::map<job_id, stored_job> jobs_;        // guarded by mutex_
  std::map<worker_id, worker_row> workers_;  // guarded by mutex_
  worker_id leader_{};                       // guarded by mutex_; may have gone
  std::map<job_id, std::map<std::string, std::string, std::less<>>> steps_;  // guarded by mutex_
  std::map<job_id, moment> expiries_;          // guarded by mutex_; of all jobs that were pushed with one
  std::map<job_id, unique_hold> unique_;       // guarded by mutex_; of all jobs that were pushed with a key
  std::map<std::string, job_id> key_holders_;  // guarded by mutex_; keys in force
  std::map<job_id, std::vector<dependent>> children_;       // guarded by mutex_; by what they wait for
  std::map<std::string, limit_state, std::less<>> limits_;  // guarded by mutex_
  std::map<std::string, std::int64_t>
      turns_;  // guarded by mutex_; of queues: the limit that had the last one
  std::set<std::string, std::less<>> paused_;                      // guarded by mutex_
  std::map<std::string, stored_schedule, std::less<>> schedules_;  // guarded by mutex_
  mutable weft::jobs::bell bell_;
  mutable end_bells ends_;
};

}  // namespace weft::inline v1::jobs
