// Durable pushes, against transactions of a bare table. Signatures and fsync are on.

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/jobs/queue.hpp>

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

// With what a job usually has: a name, a few arguments, about 300 bytes when it is stored.
weft::closure<> usual_job() {
  return weft::closure{weft::named_closure<"bench.welcome">([](std::int64_t, std::string, std::string) {}),
                       std::int64_t{42}, std::string("somebody@example.org"),
                       std::string("a few words for the mail")};
}

void start_at(folder_place at) {
  sides = std::make_unique<both_sides>(at);
  sides->raw.warm_up();
  repeat(10, [] { sides->queue.push_many(std::vector<weft::closure<>>(batch, usual_job())); });
}
void start() { start_at(folder_place::disk); }
void start_in_memory() { start_at(folder_place::memory); }
void end() { sides.reset(); }

double pushes_by(std::size_t producers) {
  const std::size_t count = producers == 1 ? alone : together;
  return per_second(count, [&] {
    std::vector<std::thread> threads;
    for (std::size_t producer = 0; producer < producers; ++producer) {
      threads.emplace_back([each = count / producers] {
        const auto job = usual_job();
        repeat(each, [&] { sides->queue.push(job); });
      });
    }
    for (auto& thread : threads) thread.join();
  });
}

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

double pushes_of_batches() {
  const std::vector<weft::closure<>> jobs(batch, usual_job());
  return per_second(4 * batch, [&] { repeat(4, [&] { sides->queue.push_many(jobs); }); });
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
    .ours = [] { return pushes_by(1); },
    .baseline = "bare SQLite commits",
    .peer = raw_commits,
    .target = at_least_times(0.65),
    .before = start,
    .after = end,
};
const add one_producer_on_disk{one_producer};
const add one_producer_in_memory{in_memory(one_producer, start_in_memory)};

const figure many_producers{
    .group = "jobs",
    .name = "push, durable, 16 producers",
    .unit = "jobs/s",
    .ours = [] { return pushes_by(16); },
    .baseline = "bare SQLite commits",
    .peer = raw_commits,
    .target = at_least(40'000),
    .before = start,
    .after = end,
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
}};

const add slow_128{{
    .group = "jobs",
    .name = "push, durable, 128 in flight, 280 fsyncs a second",
    .unit = "jobs/s",
    .ours = [] { return pushes_in_flight(128); },
    .target = at_least(20'000),
    .before = start_slow,
    .after = end_slow,
}};

const figure batches{
    .group = "jobs",
    .name = "push_many of 1,000",
    .unit = "jobs/s",
    .ours = pushes_of_batches,
    .baseline = "bare SQLite, batches of 100",
    .peer = raw_batches,
    .target = at_least_times(0.75),
    .before = start,
    .after = end,
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
