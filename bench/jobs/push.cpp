// Durable pushes, against transactions of a bare table. Signatures and fsync are on.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/jobs/queue.hpp>

#include "jobs/queue_load.hpp"
#include "jobs/raw_sqlite.hpp"
#include "jobs/slow_disk.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t alone = 300;
constexpr std::size_t together = 4'000;
constexpr std::size_t batch = 1'000;
constexpr int slow_syncs = 280;
constexpr std::size_t slow_rounds = 100;

struct both_sides {
  explicit both_sides(folder_place at) : folder(at) {}
  work_folder folder;
  weft::jobs::queue queue{
      "sqlite:" + folder.path() + "/jobs.db",
      {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("bench"))}};
  raw_sqlite raw{folder.path() + "/raw.db"};
};
std::unique_ptr<both_sides> sides;
std::optional<slow_disk> disk;

void start_at(folder_place at) {
  sides = std::make_unique<both_sides>(at);
  sides->raw.warm_up();
  pushes_of_batches(sides->queue, 10, batch);
}
void start() { start_at(folder_place::disk); }
void start_in_memory() { start_at(folder_place::memory); }
void end() { sides.reset(); }

/// Fibers that push one after the other: so many are in flight.
double pushes_in_flight(std::size_t fibers) {
  const std::size_t count = fibers * slow_rounds;
  return per_second(count, [&] {
    weft::run([&] {
      weft::with_scope([&](weft::scope& all) {
        const auto job = usual_job();
        for (std::size_t n = 0; n < fibers; ++n)
          all.go([&] { repeat(slow_rounds, [&] { sides->queue.push(job); }); });
        all.join();
      });
    });
  });
}

void start_slow() {
  disk.emplace(slow_syncs);
  start();
}
void end_slow() {
  end();
  disk.reset();
}

double raw_commits() {
  return per_second(alone, [] { repeat(alone, [] { sides->raw.insert(1); }); });
}

double raw_batches() {
  return per_second(8 * batch, [] { repeat(80, [] { sides->raw.insert(100); }); });
}

// Encoding and signing alone: the memory store keeps them and does nothing else.
double signing_us() {
  weft::jobs::queue queue(
      "memory:", {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("bench"))});
  const auto job = usual_job();
  return ns_per(together, [&] { repeat(together, [&] { queue.push(job); }); }) / 1e3;
}

const add probe{{
    .group = "jobs",
    .name = "fdatasync probe, p50 (above 0.5: repeat)",
    .unit = "ms",
    .ours = fdatasync_ms,
}};

const figure one_producer{
    .group = "jobs",
    .name = "push, durable, one producer",
    .unit = "jobs/s",
    .ours = [] { return pushes_by(sides->queue, 1, alone); },
    .baseline = "bare SQLite commits",
    .peer = raw_commits,
    .target = at_least_times(0.65),
    .before = start,
    .after = end,
    .store = "sqlite",
};
const add one_producer_on_disk{one_producer};
const add one_producer_in_memory{in_memory(one_producer, start_in_memory)};

const figure many_producers{
    .group = "jobs",
    .name = "push, durable, 16 producers",
    .unit = "jobs/s",
    .ours = [] { return pushes_by(sides->queue, 16, together); },
    .baseline = "bare SQLite commits",
    .peer = raw_commits,
    .target = at_least(40'000),
    .before = start,
    .after = end,
    .store = "sqlite",
};
const add many_producers_on_disk{many_producers};
const add many_producers_in_memory{in_memory(many_producers, start_in_memory)};

const add slow_16{{
    .group = "jobs",
    .name = "push, durable, 16 in flight, 280 fsyncs a second",
    .unit = "jobs/s",
    .ours = [] { return pushes_in_flight(16); },
    .target = at_least(4'000),
    .before = start_slow,
    .after = end_slow,
    .store = "sqlite",
}};

const add slow_128{{
    .group = "jobs",
    .name = "push, durable, 128 in flight, 280 fsyncs a second",
    .unit = "jobs/s",
    .ours = [] { return pushes_in_flight(128); },
    .target = at_least(20'000),
    .before = start_slow,
    .after = end_slow,
    .store = "sqlite",
}};

const figure batches{
    .group = "jobs",
    .name = "push_many of 1,000",
    .unit = "jobs/s",
    .ours = [] { return pushes_of_batches(sides->queue, 4, batch); },
    .baseline = "bare SQLite, batches of 100",
    .peer = raw_batches,
    .target = at_least_times(0.75),
    .before = start,
    .after = end,
    .store = "sqlite",
};
const add batches_on_disk{batches};
const add batches_in_memory{in_memory(batches, start_in_memory)};

const add signing{{
    .group = "jobs",
    .name = "encoding and signature of a push",
    .unit = "us",
    .ours = signing_us,
    .target = at_most(5),
}};

}  // namespace
