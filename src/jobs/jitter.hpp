#pragma once

#include <cstdint>

#include <weft/jobs/job.hpp>

namespace weft::inline v1::jobs {

/// A random seed; in a simulation the oracle's.
std::uint64_t make_jitter_seed();

/// 0 to 1, exclusive: chance of the `run`-th claim of a job, the same for the same seed.
double jitter_of(std::uint64_t seed, job_id id, std::int64_t run) noexcept;

}  // namespace weft::inline v1::jobs
