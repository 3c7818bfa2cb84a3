#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/fiber/parker.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/postgres/caller.hpp"
#include "jobs/postgres/claim_marks.hpp"
#include "jobs/postgres/ends.hpp"
#include "jobs/postgres/held_claims.hpp"
#include "jobs/postgres/lane.hpp"
#include "jobs/postgres/link/store_thread.hpp"
#include "jobs/postgres/names.hpp"
#include "jobs/postgres/notices.hpp"
#include "jobs/postgres/requests.hpp"
#include "jobs/postgres/server_clock.hpp"

namespace weft::inline v1::jobs::postgres {

/// Jobs in a PostgreSQL database, for any number of processes and machines at once.
///
/// The rules are functions of the database: see schema/0001/10_tables.sql first, then schema/functions. Here
/// are the lanes: each kind of call has fibers of its own on the store's thread, so pushes that wait together
/// go in one call, ends likewise, and a heartbeat waits for nothing else. A batch that fails is done again
/// one by one, so that a failure undoes only itself.
class postgres_store final : public store {
 public:
  postgres_store(const std::string& url, const store_options& options);
  ~postgres_store() override;

  const jobs::clock& clock() const override { return clock_; }
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

  /// Has this store met the job's queue and closure?
  bool knows(const new_job& job);
  /// Makes rows of the job's queue, closure and limit, in a transaction of its own.
  void make_known(const new_job& job);

 private:
  void close_lanes() noexcept;
  void serve_pushes(std::vector<push_request*>& taken);
  void serve_ends(std::vector<end_request*>& taken);
  void finish_one(end_request& one);
  void note_pushes(std::span<const new_job* const> jobs);
  void note_ends(std::span<const attempt_end* const> ends, bool work);
  void count_writes();
  void follow_clock();
  void ask(lane<call_request>& in, std::function<void(caller&)> apply);
  /// The value of `work(caller)`, which is called on the store's thread.
  template <typename Work>
  auto ask_for(lane<call_request>& in, Work work);
  /// For what may put jobs back to where claims have been.
  template <typename Work>
  auto ask_for_return(lane<call_request>& in, Work work);

  const store_options options_;
  server_clock clock_;
  std::atomic<bool> closing_{false};
  parker closes_;  // who follows the clock waits here
  store_thread thread_;
  connection_pool pool_;
  connection_pool beats_pool_;
  connection_pool bodies_pool_;
  caller caller_;
  caller beats_caller_;
  names names_;             // the thread's
  claim_marks marks_;       // the thread's
  doubtful_ends doubts_;    // the thread's
  std::size_t writes_ = 0;  // the thread's; since the counts were summed up
  held_claims held_;
  mutable notices notices_;
  lane<push_request> pushes_;
  lane<push_request> waiting_pushes_;  // that may wait for transactions of others
  lane<end_request> ends_;
  lane<end_request> waiting_ends_;
  lane<call_request> claims_;
  lane<call_request> beats_;
  lane<call_request> changes_;
  lane<call_request> reads_;
};

template <typename Work>
auto postgres_store::ask_for(lane<call_request>& in, Work work) {
  std::optional<std::invoke_result_t<Work&, caller&>> value;
  ask(in, [&](caller& by) { value.emplace(work(by)); });
  return std::move(*value);
}

template <typename Work>
auto postgres_store::ask_for_return(lane<call_request>& in, Work work) {
  return ask_for(in, [&](caller& by) {
    auto value = work(by);
    marks_.came_somewhere();
    return value;
  });
}

}  // namespace weft::inline v1::jobs::postgres
