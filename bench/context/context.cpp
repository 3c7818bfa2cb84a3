// What the context costs, against a bare locked add. The targets are the budgets of the design in
// nanoseconds on a machine whose locked add takes 8.

#include <atomic>
#include <cstdint>

#include <weft/context/context.hpp>
#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>

#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

constexpr std::size_t operations = 2'000'000;
constexpr double locked_add_ns = 8;

constexpr key_spec specs[] = {
    {.name = "bench.k0"},  {.name = "bench.k1"},  {.name = "bench.k2"},  {.name = "bench.k3"},
    {.name = "bench.k4"},  {.name = "bench.k5"},  {.name = "bench.k6"},  {.name = "bench.k7"},
    {.name = "bench.k8"},  {.name = "bench.k9"},  {.name = "bench.k10"}, {.name = "bench.k11"},
    {.name = "bench.k12"}, {.name = "bench.k13"}, {.name = "bench.k14"}, {.name = "bench.k15"}};
const key<std::int64_t> keys[] = {
    key<std::int64_t>{specs[0]},  key<std::int64_t>{specs[1]},  key<std::int64_t>{specs[2]},
    key<std::int64_t>{specs[3]},  key<std::int64_t>{specs[4]},  key<std::int64_t>{specs[5]},
    key<std::int64_t>{specs[6]},  key<std::int64_t>{specs[7]},  key<std::int64_t>{specs[8]},
    key<std::int64_t>{specs[9]},  key<std::int64_t>{specs[10]}, key<std::int64_t>{specs[11]},
    key<std::int64_t>{specs[12]}, key<std::int64_t>{specs[13]}, key<std::int64_t>{specs[14]},
    key<std::int64_t>{specs[15]}};
constexpr key_spec absent_spec{.name = "bench.absent"};
const key<std::int64_t> absent{absent_spec};
constexpr key_spec hot_spec{.name = "bench.hot", .hot = true};
const key<std::int64_t> hot{hot_spec};

double locked_add() {
  static std::atomic<std::uint64_t> counter{0};
  return ns_per(operations,
                [] { repeat(operations, [] { counter.fetch_add(1, std::memory_order_relaxed); }); });
}

/// A context with the first `depth` keys bound.
context of_depth(std::size_t depth) {
  context made;
  for (std::size_t n = 0; n < depth; ++n) made = made.with(keys[n], static_cast<std::int64_t>(n));
  return made;
}

double read(std::size_t depth, const key<std::int64_t>& what) {
  return of_depth(depth).run([&] {
    return ns_per(operations, [&] {
      repeat(operations, [&] {
        auto* found = what.find();
        keep(found);
      });
    });
  });
}

/// Of a key that is bound first, below `depth` others.
double read_below(std::size_t depth, const key<std::int64_t>& what) {
  context made = context().with(what, 1);
  for (std::size_t n = 0; n < depth; ++n) made = made.with(keys[1 + n % 15], static_cast<std::int64_t>(n));
  return made.run([&] {
    return ns_per(operations, [&] {
      repeat(operations, [&] {
        auto* found = what.find();
        keep(found);
      });
    });
  });
}

figure against_add(const char* name, measurement ours, double budget_ns) {
  return {.group = "context",
          .name = name,
          .unit = "ns",
          .ours = std::move(ours),
          .baseline = "locked add",
          .peer = locked_add,
          .target = at_most_times(budget_ns / locked_add_ns)};
}

const add read_1{against_add(
    "read, 1 binding deep", [] { return read(1, keys[0]); }, 3)};
const add read_4{against_add(
    "read, 4 bindings deep", [] { return read(4, keys[0]); }, 6)};
const add read_16{against_add(
    "read, 16 bindings deep", [] { return read(16, keys[0]); }, 20)};
const add read_40{against_add(
    "read below a table, 40 bindings deep", [] { return read_below(40, keys[0]); }, 20)};
const add read_hot{against_add(
    "read of the hot key, 16 bindings deep", [] { return read_below(16, hot); }, 3)};
const add read_absent{against_add(
    "read of an absent key, 4 deep", [] { return read(4, absent); }, 2)};

const add scoped{against_add(
    "scoped set and restore",
    [] {
      return ns_per(operations, [] { repeat(operations, [] { const scoped_value bound(keys[0], 1); }); });
    },
    10)};

const add scoped_captured{against_add(
    "same with one capture inside",
    [] {
      return ns_per(operations, [] {
        repeat(operations, [] {
          const scoped_value bound(keys[0], 1);
          auto taken = context::capture();
          keep(taken);
        });
      });
    },
    30)};

const add captured{against_add(
    "capture, restore and drop",
    [] {
      return of_depth(1).run([] {
        return ns_per(operations, [] {
          repeat(operations, [] {
            const auto taken = context::capture();
            const auto here = taken.attach();
          });
        });
      });
    },
    20)};

const add batch{against_add(
    "capture for a batch of 1,000 and drop, each",
    [] {
      return of_depth(1).run([] {
        constexpr std::size_t children = 1000;
        return ns_per(operations, [] {
          repeat(operations / children, [] {
            batch_capture shared(children);
            repeat(children, [&] {
              const auto taken = shared.take();
              keep(taken);
            });
          });
        });
      });
    },
    8)};

const add log_off{{.group = "context",
                   .name = "log call below the level",
                   .unit = "ns",
                   .ours =
                       [] {
                         return ns_per(operations, [] {
                           std::int64_t n = 0;
                           repeat(operations, [&] { log::debug("not written", {{"n", ++n}}); });
                         });
                       },
                   .baseline = "locked add",
                   .peer = locked_add}};

}  // namespace
