#pragma once

#include <type_traits>

#include <weft/core/error.hpp>
#include <weft/jobs/job.hpp>

namespace weft::inline v1::jobs {

/// How often a push whose id is taken draws another one.
inline constexpr int id_collisions_max = 5;

/// `push()`, which draws its ids itself, again where one is taken.
template <typename Push>
std::invoke_result_t<Push&> with_fresh_ids(Push push) {
  for (int collisions = 0;; ++collisions) {
    try {
      return push();
    } catch (const error& failed) {
      if (failed.code() != errc::already_exists || collisions == id_collisions_max) throw;
    }
  }
}

/// A fresh id: the microsecond it is made in, then 11 random bits of the process, not below 256: those are of
/// jobs that a database makes. Within a process ids only grow; two processes that make one in the same
/// microsecond may collide once in 1792 times, which the store refuses and the queue tries again.
/// Thread-safe.
job_id make_job_id(moment now);

/// No id that is made at that moment or later is smaller.
job_id smallest_id_at(moment at) noexcept;

/// A random id for a worker.
worker_id make_worker_id();

}  // namespace weft::inline v1::jobs
