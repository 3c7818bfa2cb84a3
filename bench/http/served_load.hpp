#pragma once

#include <cstddef>
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

}  // namespace weft::bench
