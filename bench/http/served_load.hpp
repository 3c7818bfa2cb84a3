#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "http/load.hpp"
#include "http/server_process.hpp"
#include "support/measure.hpp"

namespace weft::bench {

/// A server and its load, for the runs of one figure.
template <typename Server = server_process>
struct served_load {
  static constexpr std::size_t connections = 64;
  static constexpr std::size_t requests = 15'000;

  served_load() : asking(server.port(), connections) {}
  explicit served_load(const std::string& kind, const conversation& what = {})
      : server(kind), asking(server.port(), connections, what) {}

  double cpu_us_per_request() {
    const double before = server.cpu_seconds();
    asking.run(requests);
    return (server.cpu_seconds() - before) * 1e6 / static_cast<double>(requests);
  }
  double requests_per_second() { return static_cast<double>(requests) / asking.run(requests).seconds; }
  double p99_us() { return percentile(asking.run(requests).latencies_us, 0.99); }

  Server server;
  load asking;
};

/// Two servers under the same load, from `before` to `after` of each row that compares them.
struct compared_servers {
  std::unique_ptr<served_load<>> ours;
  std::unique_ptr<served_load<>> raw;

  void start(const std::string& our_kind, const std::string& raw_kind, const conversation& what = {}) {
    leave_the_first_core();
    ours = std::make_unique<served_load<>>(our_kind, what);
    raw = std::make_unique<served_load<>>(raw_kind, what);
  }
  void end() {
    ours.reset();
    raw.reset();
  }
};

}  // namespace weft::bench
