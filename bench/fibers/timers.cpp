#include <chrono>
#include <memory>
#include <vector>

#include <weft/core/timer_wheel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "peers/peers.hpp"
#include "support/child.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;
using weft::detail::timer_node;
using weft::detail::timer_wheel;

/// Microseconds of CPU for each of 100,000 fibers that sleep 1 to 2 s once; those of the last round.
double sleepers(int rounds) {
  constexpr std::size_t count = 100'000;
  double used = 0;
  weft::run([&] {
    for (; rounds > 0; --rounds) {
      const double before = cpu_seconds();
      std::vector<weft::fiber<void>> all;
      all.reserve(count);
      for (std::size_t n = 0; n < count; ++n) {
        const std::chrono::milliseconds time(1000 + n * 7919 % 1000);
        all.push_back(weft::go([time] { weft::sleep_for(time); }));
      }
      for (auto& one : all) one.join();
      used = (cpu_seconds() - before) * 1e6 / static_cast<double>(count);
    }
  });
  return used;
}

constexpr std::size_t live = 1'000'000;

/// A wheel with a million timers, an hour of ticks and up to another second away.
struct full_wheel {
  timer_wheel wheel;
  std::vector<timer_node> nodes{live};

  full_wheel() {
    wheel.advance(1'000'000, [](timer_node&) {});
    for (std::size_t n = 0; n < live; ++n) wheel.arm(nodes[n], 1'000'000 + 3'600'000 + n * 7919 % 1000);
  }
};

double wheel_insert_and_cancel() {
  constexpr std::size_t rounds = 1'000'000;
  const auto full = std::make_unique<full_wheel>();
  timer_node one;
  return cpu_ns_per(rounds, [&] {
    for (std::size_t n = 0; n < rounds; ++n) {
      full->wheel.arm(one, 1'000'000 + 30'000 + n * 7919 % 1000);
      full->wheel.cancel(one);
    }
  });
}

double wheel_cancel_in_random_order() {
  const auto full = std::make_unique<full_wheel>();
  return cpu_ns_per(live, [&] {
    for (std::size_t n = 0; n < live; ++n) full->wheel.cancel(full->nodes[n * 7919 % live]);
  });
}

const add_probe cold{"sleepers_cold", [] { return sleepers(1); }};
const add_probe warm{"sleepers_warm", [] { return sleepers(2); }};

const add sleepers_cold{{
    .group = "fibers",
    .name = "CPU per sleeper of 1-2 s, 100k, cold",
    .unit = "us",
    .ours = in_fresh_process("sleepers_cold"),
    .baseline = "Go",
    .peer = go_peer("sleepers_cold"),
    .target = at_most(6),
    .more = {{"Boost.Fiber", boost_peer("sleepers_cold")}},
    .warm_up = false,
}};

const add sleepers_warm{{
    .group = "fibers",
    .name = "CPU per sleeper of 1-2 s, 100k, warm",
    .unit = "us",
    .ours = in_fresh_process("sleepers_warm"),
    .baseline = "Go",
    .peer = go_peer("sleepers_warm"),
    .target = at_most(1.2),
    .more = {{"Boost.Fiber", boost_peer("sleepers_warm")}},
    .warm_up = false,
}};

const add insert_cancel{{
    .group = "fibers",
    .name = "timer insert+cancel, 1M live (wheel)",
    .unit = "ns",
    .ours = wheel_insert_and_cancel,
    .baseline = "Go",
    .peer = go_peer("timer_insert_cancel"),
    .target = at_most_times(1.0 / 14),
}};

const add cancel_random{{
    .group = "fibers",
    .name = "cancel 1M timers, random order (wheel)",
    .unit = "ns",
    .ours = wheel_cancel_in_random_order,
    .baseline = "Go",
    .peer = go_peer("timer_cancel_random"),
    .target = at_most_times(1.0 / 3),
}};

}  // namespace
