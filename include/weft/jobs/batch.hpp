#pragma once

#include <cstdint>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/job.hpp>

namespace weft::jobs {

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

/// What queue::push_batch has pushed.
struct pushed_batch {
  job_id id{};               ///< of the batch, and of the job that runs last
  std::vector<job_id> jobs;  ///< the others, in order
};

}  // namespace weft::jobs
