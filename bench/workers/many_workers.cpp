// What a fork server is like after many workers.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <weft/fiber/run.hpp>
#include <weft/workers/server_status.hpp>

#include "support/figure.hpp"
#include "support/measure.hpp"
#include "workers/bare_echo.hpp"
#include "workers/fork_server.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t samples = 200;
constexpr std::size_t former_workers = 1000;
constexpr std::size_t very_many_workers = 10'000;

std::unique_ptr<fork_server> fresh;
std::unique_ptr<fork_server> used;
std::size_t descriptors_at_start = 0;

// The fewest it has within a while: what serves this question is still ending.
std::size_t descriptors_of(const fork_server& one) {
  const std::filesystem::path folder = "/proc/" + std::to_string(one.status().pid) + "/fd";
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  for (int i = 0; i < 100; ++i) {
    const std::filesystem::directory_iterator open(folder);
    fewest = std::min(fewest, static_cast<std::size_t>(std::distance(begin(open), end(open))));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return fewest;
}

// Each of them serves one call.
std::vector<double> use_workers(const fork_server& of, std::size_t count) {
  auto options = of.pool(1).options();
  options.max_checkouts = 1;
  options.protocol = weft::workers::protocol_choice::native;
  weft::workers::client pool(options);
  std::vector<double> taken;
  weft::run([&] {
    for (std::size_t i = 0; i < count; ++i) {
      taken.push_back(seconds([&] { pool.call<std::string>("echo", ""); }) * 1e6);
    }
  });
  return taken;
}

double cold_us(const fork_server& of) { return percentile(use_workers(of, samples), 0.5); }

void start_ready() { fresh = std::make_unique<fork_server>(4); }
void start_two() {
  fresh = std::make_unique<fork_server>();
  used = std::make_unique<fork_server>();
  use_workers(*used, former_workers);
}
void start_very_used() {
  used = std::make_unique<fork_server>();
  descriptors_at_start = descriptors_of(*used);
  use_workers(*used, very_many_workers);
}
void end() {
  fresh.reset();
  used.reset();
}

const add in_advance{{
    .group = "workers",
    .name = "worker forked in advance, connect to first reply, p50",
    .unit = "us",
    .ours = [] { return cold_us(*fresh); },
    .baseline = "bare fork and exit",
    .peer = [] { return ns_per(samples, [] { repeat(samples, [] { fork_and_exit(); }); }) / 1e3; },
    .target = at_most_times(3),
    .before = start_ready,
    .after = end,
}};

const add after_many{{
    .group = "workers",
    .name = "cold worker after 1,000 others, p50",
    .unit = "us",
    .ours = [] { return cold_us(*used); },
    .baseline = "a fresh server",
    .peer = [] { return cold_us(*fresh); },
    .target = at_most_times(1.05),
    .before = start_two,
    .after = end,
}};

const add resident{{
    .group = "workers",
    .name = "server's resident size after 10,000 workers",
    .unit = "MiB",
    .ours = [] { return static_cast<double>(used->status().resident_bytes) / (1024 * 1024); },
    .target = at_most(8),
    .before = start_very_used,
}};

const add descriptors{{
    .group = "workers",
    .name = "server's descriptors after 10,000 workers, beyond those at its start",
    .unit = "",
    .ours =
        [] { return static_cast<double>(descriptors_of(*used)) - static_cast<double>(descriptors_at_start); },
    .target = at_most(0),
    .after = end,
}};

}  // namespace
