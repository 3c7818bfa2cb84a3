#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <weft/core/started_thread.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/sqlite/body_guard.hpp"
#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/database.hpp"
#include "jobs/sqlite/reader.hpp"
#include "jobs/sqlite/turn_queue.hpp"
#include "jobs/sqlite/writer.hpp"
#include "jobs/sqlite/writer_lock.hpp"

namespace weft::inline v1::jobs::sqlite {

/// Jobs in one SQLite file.
///
/// One writer thread owns the connection. Each of its turns takes all requests that wait and applies
/// them in one transaction (group commit), and again with a savepoint each where one fails, so that a
/// failure undoes only itself; then the callers go on. See turn_queue.hpp for how they meet, writer_lock.hpp
/// for how processes do. What only reads, and may read much, has a thread and a connection of its own: the
/// reader.
class sqlite_store final : public store {
 public:
  sqlite_store(const std::string& path, const store_options& options);
  ~sqlite_store() override;

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
  void listen_to_others();
  void ask(request_kind kind, std::function<void()> apply, bool durable = false);

  connection connection_;  // the writer thread's after construction
  writer_lock lock_;       // the writer thread's
  database database_;      // the writer thread's
  body_guard guard_;       // the writer thread's
  turn_queue requests_;
  mutable listeners listeners_;
  std::once_flag listening_;
  store_options options_;
  reader reader_;
  writer writer_;                        // the writer thread's
  weft::detail::started_thread thread_;  // last: it uses all of the above
};

}  // namespace weft::inline v1::jobs::sqlite
