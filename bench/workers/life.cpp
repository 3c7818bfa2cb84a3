// How fast workers come and go.

#include <memory>
#include <string>
#include <vector>

#include <weft/fiber/run.hpp>

#include "support/figure.hpp"
#include "support/measure.hpp"
#include "workers/bare_echo.hpp"
#include "workers/fork_server.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t cold_workers = 100;
constexpr std::size_t timeouts = 20;
constexpr auto limit = std::chrono::milliseconds(5);

std::unique_ptr<fork_server> server;

void start() { server = std::make_unique<fork_server>(); }
void end() { server.reset(); }

// Connect, fork, first reply; the worker is given up after its only checkout.
double cold_us() {
  auto options = server->pool(1).options();
  options.max_checkouts = 1;
  options.max_workers = 1;
  weft::workers::client pool(options);
  std::vector<double> samples;
  weft::run([&] {
    for (std::size_t i = 0; i < cold_workers; ++i) {
      samples.push_back(seconds([&] { pool.call<std::string>("echo", ""); }) * 1e6);
    }
  });
  return percentile(std::move(samples), 0.5);
}

double fork_us() {
  return ns_per(cold_workers, [] { repeat(cold_workers, [] { fork_and_exit(); }); }) / 1e3;
}

// From the limit of a call that never ends until another worker has answered.
double replaced_ms() {
  auto pool = server->pool(1);
  std::vector<double> samples;
  weft::run([&] {
    for (std::size_t i = 0; i < timeouts; ++i) {
      const double whole = seconds([&] {
        try {
          pool.checkout({.timeout = limit}).call("spin");
        } catch (const weft::workers::call_timed_out&) {
          pool.call<std::string>("echo", "");
        }
      });
      samples.push_back((whole - std::chrono::duration<double>(limit).count()) * 1e3);
    }
  });
  return percentile(std::move(samples), 0.99);
}

const add cold{{
    .group = "workers",
    .name = "cold worker, connect to first reply, p50",
    .unit = "us",
    .ours = cold_us,
    .baseline = "bare fork and exit",
    .peer = fork_us,
    .target = at_most_times(3),
    .before = start,
    .after = end,
}};

const add replaced{{
    .group = "workers",
    .name = "timeout to worker gone and replaced, p99",
    .unit = "ms",
    .ours = replaced_ms,
    .target = at_most(20),
    .before = start,
    .after = end,
}};

}  // namespace
