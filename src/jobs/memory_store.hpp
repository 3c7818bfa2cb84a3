#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/bell.hpp"

namespace weft::jobs {

/// Jobs in memory: the fake of the store interface, for tests and development. It keeps the same
/// contract but for durability, and has no statements: transactions only push.
class memory_store final : public store {
 public:
  void push(std::span<const new_job> jobs) override;
  void transact(const std::function<void(store_transaction&)>& body,
                const transaction_options& options) override;
  claim_result claim(const claim_request& request) override;
  bool finish(const attempt_end& end) override;
  bool holds(job_id id, worker_id owner, std::int64_t fence) override;
  void add_worker(const worker_row& worker) override;
  std::vector<job_id> beat(worker_id owner) override;
  void remove_worker(worker_id owner) override;
  std::vector<worker_row> workers() override;
  std::size_t rescue(worker_id owner, moment now, int crashes_max) override;
  bool cancel(job_id id, moment now) override;
  bool retry(job_id id, moment now) override;
  std::size_t purge(moment before, std::size_t limit) override;
  std::optional<stored_job> find(job_id id) override;
  std::vector<stored_job> list(const list_filter& filter) override;
  std::vector<queue_stats> stats() override;
  std::int64_t count_unroutable(const std::function<bool(std::string_view handler)>& routable) override;
  std::uint64_t bell() const override { return bell_.value(); }
  std::uint64_t wait_bell(std::uint64_t seen, steady_time until) override { return bell_.wait(seen, until); }
  void ring() override { bell_.ring(); }

 private:
  void insert(std::span<const new_job> jobs);
  void claim_from(const std::string& queue, const claim_request& request, claim_result& result);
  std::optional<moment> next_due() const;
  stored_job* held(job_id id, worker_id owner, std::int64_t fence);
  static void make_waiting(stored_job& job, moment run_at, moment now);
  static void make_ended(stored_job& job, job_state state, moment now);

  mutable std::mutex mutex_;                 // held for a few steps, never across a wait
  std::map<job_id, stored_job> jobs_;        // guarded by mutex_
  std::map<worker_id, worker_row> workers_;  // guarded by mutex_
  mutable weft::jobs::bell bell_;
};

}  // namespace weft::jobs
