// Calls to workers that are there already, against two processes that echo over a socketpair.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

#include "support/figure.hpp"
#include "support/measure.hpp"
#include "workers/bare_echo.hpp"
#include "workers/fork_server.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t calls = 5'000;
constexpr std::size_t large_calls = 300;
// What goes over the socket for an empty echo, both headers included.
constexpr std::size_t frame_bytes = 64;

struct both_sides {
  fork_server server;
  weft::workers::client one = server.pool(1);
  weft::workers::client two = server.pool(2);
  weft::workers::client old = server.pool(1, weft::workers::protocol_choice::compatible);
  bare_echo bare;
};
std::unique_ptr<both_sides> sides;

void start() { sides = std::make_unique<both_sides>(); }
void end() { sides.reset(); }

// Microseconds of `count` operations, one by one, at that share of them.
template <typename Operation>
double at_share(std::size_t count, double share, Operation&& operation) {
  std::vector<double> samples;
  samples.reserve(count);
  for (std::size_t i = 0; i < count; ++i) samples.push_back(seconds(operation) * 1e6);
  return percentile(std::move(samples), share);
}

// The middle of echoes of a text, on a fiber, in one checkout.
double echo_us(std::size_t count, std::size_t bytes, weft::workers::client& pool = sides->one) {
  double middle = 0;
  weft::run([&] {
    const std::string text(bytes, 'x');
    auto held = pool.checkout();
    middle = at_share(count, 0.5, [&] { held.call<std::string>("echo", text); });
  });
  return middle;
}

// Each call with a checkout of its own.
double checkout_us() {
  double middle = 0;
  weft::run([&] { middle = at_share(calls, 0.5, [] { sides->one.call<std::string>("echo", ""); }); });
  return middle;
}

double bare_us(std::size_t count, std::size_t bytes) {
  return at_share(count, 0.5, [&] { sides->bare.round_trip(bytes); });
}

// Calls in a second of `fibers` that call all the time.
double calls_per_second(std::size_t fibers) {
  const std::size_t each = 20'000 / fibers;
  return per_second(each * fibers, [&] {
    weft::run([&] {
      weft::scope all;
      for (std::size_t i = 0; i < fibers; ++i) {
        all.go([each] { repeat(each, [] { sides->two.call<std::string>("echo", ""); }); });
      }
      all.join();
    });
  });
}

// Calls in a second of fibers that share a checkout.
double calls_in_flight_per_second(std::size_t fibers) {
  const std::size_t each = 100'000 / fibers;
  return per_second(each * fibers, [&] {
    weft::run([&] {
      auto held = sides->one.checkout();
      weft::scope all;
      for (std::size_t i = 0; i < fibers; ++i) {
        all.go([&held, each] { repeat(each, [&held] { held.call<std::string>("echo", ""); }); });
      }
      all.join();
    });
  });
}

const add sequential{{
    .group = "workers",
    .name = "sequential echo, native mode, p50",
    .unit = "us",
    .ours = [] { return echo_us(calls, 0); },
    .baseline = "bare socketpair",
    .peer = [] { return bare_us(calls, frame_bytes); },
    .target = at_most_times(1.3),
    .before = start,
    .after = end,
}};

const add compatible{{
    .group = "workers",
    .name = "sequential echo, compatible mode, p50",
    .unit = "us",
    .ours = [] { return echo_us(calls, 0, sides->old); },
    .baseline = "bare socketpair",
    .peer = [] { return bare_us(calls, frame_bytes); },
    .target = at_most_times(1.5),
    .before = start,
    .after = end,
}};

const add with_checkout{{
    .group = "workers",
    .name = "echo with a checkout each, p50",
    .unit = "us",
    .ours = checkout_us,
    .baseline = "bare socketpair",
    .peer = [] { return bare_us(calls, frame_bytes); },
    .before = start,
    .after = end,
}};

const add one_kib{{
    .group = "workers",
    .name = "1 KiB echo on top of an empty one",
    .unit = "us",
    .ours = [] { return echo_us(calls, 1024) - echo_us(calls, 0); },
    .baseline = "bare socketpair",
    .peer = [] { return bare_us(calls, 1024 + frame_bytes) - bare_us(calls, frame_bytes); },
    .target = at_most(3),
    .before = start,
    .after = end,
}};

const add hundred_kib{{
    .group = "workers",
    .name = "100 KiB echo on top of an empty one",
    .unit = "us",
    .ours = [] { return echo_us(large_calls, 100 * 1024) - echo_us(large_calls, 0); },
    .baseline = "bare socketpair",
    .peer = [] { return bare_us(large_calls, 100 * 1024 + frame_bytes) - bare_us(large_calls, frame_bytes); },
    .target = at_most(150),
    .before = start,
    .after = end,
}};

const add outstanding{{
    .group = "workers",
    .name = "64 outstanding checkouts on 2 workers",
    .unit = "calls/s",
    .ours = [] { return calls_per_second(64); },
    .target = at_least(60'000),
    .before = start,
    .after = end,
}};

const add in_flight{{
    .group = "workers",
    .name = "native mode, 32 calls in flight on one checkout",
    .unit = "calls/s",
    .ours = [] { return calls_in_flight_per_second(32); },
    .target = at_least(200'000),
    .before = start,
    .after = end,
}};

const add flat{{
    .group = "workers",
    .name = "1,000 outstanding checkouts on 2 workers",
    .unit = "calls/s",
    .ours = [] { return calls_per_second(1000); },
    .baseline = "64 outstanding",
    .peer = [] { return calls_per_second(64); },
    .target = at_least_times(0.9),
    .before = start,
    .after = end,
}};

}  // namespace
