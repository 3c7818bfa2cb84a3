#pragma once

#include <weft/jobs/job.hpp>

namespace weft::jobs {

/// How often a push whose id is taken draws another one.
inline constexpr int id_collisions_max = 5;

/// A fresh id: the microsecond it is made in, then 11 random bits of the process. Within a process
/// ids only grow; two processes that make one in the same microsecond may collide once in 2048 times,
/// which the store refuses and the queue tries again. Thread-safe.
job_id make_job_id(moment now);

/// A random id for a worker.
worker_id make_worker_id();

}  // namespace weft::jobs
