// Working jobs off with the defaults, and how soon a push is noticed.

#include <memory>

#include <weft/jobs/queue.hpp>

#include "jobs/queue_load.hpp"
#include "jobs/raw_sqlite.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t no_ops = 5'000;
constexpr std::size_t wake_ups = 100;

struct both_sides {
  explicit both_sides(folder_place at) : folder(at) {}
  work_folder folder;
  weft::jobs::queue queue{
      "sqlite:" + folder.path() + "/jobs.db",
      {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("bench"))}};
  raw_sqlite raw{folder.path() + "/raw.db"};
};
std::unique_ptr<both_sides> sides;

void start_at(folder_place at) {
  sides = std::make_unique<both_sides>(at);
  sides->raw.warm_up();
}
void start() { start_at(folder_place::disk); }
void start_in_memory() { start_at(folder_place::memory); }
void end() { sides.reset(); }

double raw_takes() {
  sides->raw.insert(no_ops);
  return per_second(no_ops, [] {
    while (sides->raw.take(10)) {
    }
  });
}

const figure no_op{
    .group = "jobs",
    .name = "no-ops, defaults, concurrency 10",
    .unit = "jobs/s",
    .ours = [] { return no_ops_per_second(sides->queue, no_ops); },
    .baseline = "bare SQLite, 10 rows a transaction",
    .peer = raw_takes,
    .target = at_least(35'000),
    .before = start,
    .after = end,
    .store = "sqlite",
};
const add no_op_on_disk{no_op};
const add no_op_in_memory{in_memory(no_op, start_in_memory)};

const figure no_op_durable{
    .group = "jobs",
    .name = "no-ops, each completion durable",
    .unit = "jobs/s",
    .ours = [] { return no_ops_per_second(sides->queue, no_ops, true); },
    .target = at_least(20'000),
    .before = start,
    .after = end,
    .store = "sqlite",
};
const add no_op_durable_on_disk{no_op_durable};
const add no_op_durable_in_memory{in_memory(no_op_durable, start_in_memory)};

const add wake_up{{
    .group = "jobs",
    .name = "idle, push to start, same process, p50",
    .unit = "ms",
    .ours = [] { return push_to_start_ms(sides->queue, wake_ups, 0.5); },
    .target = at_most(0.3),
    .before = start,
    .after = end,
    .store = "sqlite",
}};

const add wake_up_late{{
    .group = "jobs",
    .name = "idle, push to start, same process, p99",
    .unit = "ms",
    .ours = [] { return push_to_start_ms(sides->queue, wake_ups, 0.99); },
    .target = at_most(2),
    .before = start,
    .after = end,
    .store = "sqlite",
}};

}  // namespace
