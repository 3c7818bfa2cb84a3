#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/job_ledger.hpp"

namespace weft::jobs {

/// How one process of a simulation reaches the store that all of them share: its calls come late, fail before
/// they have changed anything, or get no answer; and a ledger keeps what they did. One thread only.
class watched_store final : public store {
 public:
  struct faults {
    std::uint64_t fails_of_1000 = 0;  ///< calls that fail, changing nothing
    std::uint64_t lost_of_1000 = 0;   ///< pushes that are kept, and whose answer is lost
    bool no_fencing = false;          ///< a planted bug: an end counts, whoever has the job
  };
  watched_store(std::shared_ptr<store> of, job_ledger& ledger, const faults& shared, std::string host)
      : of_(std::move(of)), ledger_(ledger), faults_(shared), host_(std::move(host)) {}

  /// From now on nothing of this process reaches the store.
  void kill() { is_dead_ = true; }
  /// All calls wait until then, as those of a process that is stopped.
  void freeze(steady_time until) { frozen_until_ = until; }
  /// The same from the moment that the store has made a claim: the answer waits, too.
  void freeze_at_claim(std::chrono::milliseconds time) { freezes_at_claim_ = time; }

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
  std::uint64_t bell() const override;
  std::uint64_t wait_bell(std::uint64_t seen, steady_time until) override;
  void ring() override;
  std::uint64_t end_bell(job_id id) const override;
  std::uint64_t wait_end(job_id id, std::uint64_t seen, steady_time until) override;

 private:
  class watched_transaction;
  void enter();
  void thaw();
  template <typename Result>
  Result answered(Result result);

  const std::shared_ptr<store> of_;
  job_ledger& ledger_;
  const faults& faults_;
  const std::string host_;
  bool is_dead_ = false;
  steady_time frozen_until_{};
  std::chrono::milliseconds freezes_at_claim_{0};
};

}  // namespace weft::jobs
