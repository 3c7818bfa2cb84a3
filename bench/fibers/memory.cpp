// What a fiber takes of memory and of mappings. Each run is a process of its own.

#include <functional>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "peers/peers.hpp"
#include "support/child.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"
#include "support/process_figures.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t million = 1'000'000;

/// The figure `of` at the moment when `count` fibers are parked.
double while_parked(std::size_t count, const std::function<double()>& of) {
  double figure = 0;
  const auto main = [&] {
    weft::event gate;
    std::size_t waiting = 0;
    std::vector<weft::fiber<void>> all;
    all.reserve(count);
    repeat(count, [&] {
      all.push_back(weft::go([&] {
        ++waiting;
        gate.wait();
      }));
    });
    while (waiting < count) weft::yield();
    figure = of();
    gate.set();
    for (auto& one : all) one.join();
  };
  weft::run(main, {.max_fibers = count + 1});
  return figure;
}

double parked_bytes(std::size_t count) {
  const double handles = static_cast<double>(count * sizeof(weft::fiber<void>));
  const double before = resident_bytes() + handles;
  return while_parked(count, [&] { return resident_bytes() - before; }) / static_cast<double>(count);
}

double unstarted_bytes() {
  constexpr auto count = static_cast<double>(million);
  double bytes = 0;
  const auto main = [&] {
    const double before = resident_bytes();
    repeat(million, [] { weft::go([] {}); });
    bytes = (resident_bytes() - before) / count;
  };
  weft::run(main, {.max_fibers = million + 1});
  return bytes;
}

/// As many fibers as there can be with a guard each; a million is enough.
double guarded_fibers() {
  weft::event gate;
  std::size_t waiting = 0;
  const auto park = [&] {
    ++waiting;
    gate.wait();
  };
  const auto main = [&] {
    repeat(million, [&] { weft::go(park); });
    for (std::size_t last = 0; waiting != last; weft::yield()) last = waiting;
    gate.set();
  };
  weft::run(main, {.max_fibers = million + 1, .on_uncaught = [](const weft::uncaught_error&) {}});
  return static_cast<double>(waiting);
}

const add_probe parked_100k{"parked_100k", [] { return parked_bytes(100'000); }};
const add_probe parked_1m{"parked_1m", [] { return parked_bytes(million); }};
const add_probe unstarted{"unstarted", unstarted_bytes};
const add_probe guarded{"guarded_fibers", guarded_fibers};
const add_probe maps{"maps_1m",
                     [] { return while_parked(million, [] { return static_cast<double>(mappings()); }); }};

const add bytes_100k{{
    .group = "fibers",
    .name = "resident bytes, parked fiber, 100k",
    .unit = "bytes",
    .ours = in_fresh_process("parked_100k"),
    .baseline = "Go",
    .peer = go_peer("parked_100k"),
    .target = at_most(4.4 * 1024),
    .more = {{"Boost.Fiber, no guards", boost_peer("parked_100k")}},
    .warm_up = false,
}};

const add bytes_1m{{
    .group = "fibers",
    .name = "resident bytes, parked fiber, 1M",
    .unit = "bytes",
    .ours = in_fresh_process("parked_1m"),
    .baseline = "Go",
    .peer = go_peer("parked_1m"),
    .target = at_most(4.4 * 1024),
    .warm_up = false,
}};

const add bytes_unstarted{{
    .group = "fibers",
    .name = "bytes, fiber that has not started",
    .unit = "bytes",
    .ours = in_fresh_process("unstarted"),
    .baseline = "Go",
    .peer = go_peer("unstarted"),
    .target = at_most(192),
    .warm_up = false,
}};

const add most_guarded{{
    .group = "fibers",
    .name = "guarded fibers at vm.max_map_count",
    .unit = "fibers",
    .ours = in_fresh_process("guarded_fibers"),
    .baseline = "Boost.Fiber",
    .peer = boost_peer("guarded_fibers"),
    .target = at_least(1e6),
    .warm_up = false,
}};

const add maps_1m{{
    .group = "fibers",
    .name = "mappings with 1M guarded fibers",
    .unit = "maps",
    .ours = in_fresh_process("maps_1m"),
    .warm_up = false,
}};

}  // namespace
