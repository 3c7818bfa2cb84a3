// What futures cost: to submit and run, against a plain pool and std::async, and what comes after them.

#include <atomic>
#include <cstddef>
#include <future>
#include <utility>
#include <vector>

#include <weft/executor/futures.hpp>
#include <weft/executor/thread_pool.hpp>

#include "futures/plain_pool.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

constexpr std::size_t batch = 1000;
constexpr std::size_t batches = 100;
constexpr std::size_t threads = 2;

/// Of `submit`, a task each: from its call until its future has given its result.
template <typename Future, typename Submit>
double submit_and_get(Submit&& submit) {
  std::vector<Future> all;
  all.reserve(batch);
  const auto one_batch = [&] {
    repeat(batch, [&] { all.push_back(submit([] {})); });
    for (auto& one : all) one.get();
    all.clear();
  };
  one_batch();
  return ns_per(batch * batches, [&] { repeat(batches, one_batch); });
}

double ours_submits() {
  thread_pool pool(thread_pool_options::fixed(threads, "bench"));
  return submit_and_get<future<void>>([&](auto work) { return pool.submit(work); });
}

double plain_submits() {
  plain_pool pool(threads);
  return submit_and_get<std::future<void>>([&](auto work) { return pool.submit(work); });
}

double async_submits() {
  return submit_and_get<std::future<void>>([](auto work) { return std::async(std::launch::async, work); });
}

/// One task at a time: submitted, and waited for.
double ours_round_trip() {
  thread_pool pool(thread_pool_options::fixed(threads, "bench"));
  return ns_per(20'000, [&] { repeat(20'000, [&] { pool.submit([] {}).get(); }); });
}

double plain_round_trip() {
  plain_pool pool(threads);
  return ns_per(20'000, [&] { repeat(20'000, [&] { pool.submit([] {}).get(); }); });
}

/// `link` attached a thousand times to a future that is not ready, then run from end to end.
template <typename Link>
double chain(Link&& link) {
  const auto one_chain = [&] {
    auto ends = contract<int>();
    auto last = std::move(ends.future);
    repeat(batch, [&] { last = link(std::move(last)); });
    ends.promise.set_value(0);
    auto length = last.get();
    keep(length);
  };
  one_chain();
  return ns_per(batch * batches, [&] { repeat(batches, one_chain); });
}

double chain_on_pool() {
  thread_pool pool(thread_pool_options::single("bench"));
  return chain([&](future<int> to) { return to.on(pool).then([](int n) { return n + 1; }); });
}

double chain_inline() {
  return chain([](future<int> to) { return to.then_inline([](int n) { return n + 1; }); });
}

/// For each of a thousand futures that have their values: to make it, and to combine them.
double all_of_ready() {
  std::vector<double> ns;
  repeat(batches, [&] {
    std::vector<future<int>> all;
    all.reserve(batch);
    repeat(batch, [&] { all.push_back(ready(1)); });
    ns.push_back(ns_per(batch, [&] {
      auto values = when_all(std::move(all)).get();
      keep(values);
    }));
  });
  return median(std::move(ns));
}

const add submit{{
    .group = "futures",
    .name = "submit, run and get, batch of 1,000, 2 threads",
    .unit = "ns",
    .ours = ours_submits,
    .baseline = "mutex-and-queue pool",
    .peer = plain_submits,
    .target = at_most_times(1.5),
    .more = {{"std::async", async_submits, at_most_times(1)}},
}};

const add round_trip{{
    .group = "futures",
    .name = "submit and get, one at a time, 2 threads",
    .unit = "ns",
    .ours = ours_round_trip,
    .baseline = "mutex-and-queue pool",
    .peer = plain_round_trip,
    .target = at_most_times(1.5),
}};

const add then_on_pool{{.group = "futures",
                        .name = "then, a link of 1,000 on a pool of one thread",
                        .unit = "ns",
                        .ours = chain_on_pool,
                        .target = at_most(150)}};

const add then_inline{{.group = "futures",
                       .name = "then_inline, a link of 1,000",
                       .unit = "ns",
                       .ours = chain_inline,
                       .target = at_most(150)}};

const add all_ready{{.group = "futures",
                     .name = "when_all of 1,000 ready, each",
                     .unit = "ns",
                     .ours = all_of_ready,
                     .target = at_most(60)}};

}  // namespace
