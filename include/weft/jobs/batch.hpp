#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/job.hpp>

namespace weft::inline v1::jobs {

/// How many jobs are in each state.
struct state_counts {
  std::int64_t scheduled = 0;
  std::int64_t ready = 0;
  std::int64_t running = 0;
  std::int64_t done = 0;
  std::int64_t dead = 0;
  std::int64_t cancelled = 0;
  std::int64_t quarantined = 0;
  std::int64_t blocked = 0;

  std::int64_t ended() const noexcept { return done + dead + cancelled + quarantined; }
  std::int64_t total() const noexcept { return ended() + scheduled + ready + running + blocked; }
  bool operator==(const state_counts&) const = default;
};
WEFT_DESCRIBE(state_counts, scheduled, ready, running, done, dead, cancelled, quarantined, blocked);

class store;

/// The tag of all jobs of a batch but its last one.
std::string batch_tag(job_id batch);
/// The batches that the store has jobs of, besides their last ones, newest first: up to `limit`, of those
/// before `before`. Waits for the store; throws as store::list.
std::vector<job_id> batches(store& in, std::optional<job_id> before, std::size_t limit);

/// What queue::push_batch has pushed.
struct pushed_batch {
  job_id id{};               ///< of the batch, and of the job that runs last
  std::vector<job_id> jobs;  ///< the others, in order
};

}  // namespace weft::inline v1::jobs
