#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/postgres/caller.hpp"
#include "jobs/postgres/held_claims.hpp"
#include "jobs/postgres/server_clock.hpp"

// Workers, their attempts, and what is done to single jobs: as jobs::store says.

namespace weft::inline v1::jobs::postgres {

void add_worker(caller& by, const worker_row& worker);
struct beaten {
  std::vector<job_id> cancelled;
  std::int64_t session = 0;  ///< whose server_pid it was
};
/// Learns the server's time on the way.
beaten beat(caller& by, worker_id owner, server_clock& time);
/// What the server believes to be held: held_claims. Returns how many jobs are ready again.
std::size_t give_back_unknown(caller& by, worker_id owner, held_claims& held, moment now);
void remove_worker(caller& by, worker_id owner, moment now);
std::vector<worker_row> all_workers(caller& by);
worker_row lead(caller& by, worker_id self, const std::optional<worker_row>& silent);
std::optional<std::size_t> rescue(caller& by, const worker_row& seen, moment now, int crashes_max);

bool show_progress(caller& by, job_id id, worker_id owner, std::int64_t fence, const job_progress& now_at);
bool holds(caller& by, job_id id, worker_id owner, std::int64_t fence);
std::optional<std::string> step(caller& by, job_id id, std::string_view name);
std::vector<std::string> steps(caller& by, job_id id);
bool keep_step(caller& by, job_id id, worker_id owner, std::int64_t fence, std::string_view name,
               std::string_view value);

bool cancel(caller& by, job_id id, moment now);
bool retry(caller& by, job_id id, moment now);
std::size_t retry_all(caller& by, std::string_view queue, job_state state, moment now, std::size_t limit);
std::size_t purge(caller& by, const purge_bounds& before, moment now, std::size_t limit);
bool remove(caller& by, job_id id, std::optional<job_state> seen, moment now);
std::vector<stored_limit> limits(caller& by, std::string_view after, std::size_t count);
void set_limit(caller& by, const limit_options& limit, bool pinned, moment now);
bool release_limit(caller& by, std::string_view key);
void set_paused(caller& by, std::string_view queue, bool paused);
/// Asks the server for its time.
void ask_for_time(caller& by, server_clock& time);
/// Sums up what pushes, claims and ends have added to the counts.
void sum_counts(caller& by);

}  // namespace weft::inline v1::jobs::postgres
