#pragma once

#include <cstddef>

#include <weft/closure/closure.hpp>
#include <weft/jobs/queue.hpp>

// The same work for a queue of any store.

namespace weft::bench {

/// With what a job usually has: a name, a few arguments, about 300 bytes when it is stored.
closure<> usual_job();

/// Pushes a second by threads that push one after the other, `count` in all.
double pushes_by(jobs::queue& into, std::size_t producers, std::size_t count);

/// Pushes a second by `calls` calls with `each` jobs.
double pushes_of_batches(jobs::queue& into, std::size_t calls, std::size_t each);

/// Jobs a second of a worker with the defaults that works off `count` jobs that do nothing.
double no_ops_per_second(jobs::queue& of, std::size_t count, bool durable_ends = false);

/// Milliseconds from the return of a push until its function runs, with a worker that had nothing to do: of
/// so many rounds, that share of them took no longer.
double push_to_start_ms(jobs::queue& of, std::size_t rounds, double share);

}  // namespace weft::bench
