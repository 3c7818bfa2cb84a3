// Three times as many requests as the server can serve, each a millisecond of work: what it serves of them,
// and how fast. The server turns away what waited for longer than that millisecond.

#include <memory>

#include "http/paced_load.hpp"
#include "http/server_process.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

constexpr double run_seconds = 0.5;
constexpr double overload = 3;

struct overloaded_server {
  server_process server{"busy"};
  paced_load asking{server.port(), 128};
  paced_load few{server.port(), 4};
  double capacity = served_per_second(few, 5'000);  // there is always one in work

  static double served_per_second(paced_load& by, double rate) {
    const paced_result got = by.run(rate, run_seconds);
    return static_cast<double>(got.latencies_us.size()) / got.seconds;
  }
};

std::unique_ptr<overloaded_server> busy;

void start_busy() {
  leave_the_first_core();
  busy = std::make_unique<overloaded_server>();
}

const add goodput{{
    .group = "http",
    .name = "goodput at 3x saturation",
    .unit = "requests/s",
    .ours = [] { return overloaded_server::served_per_second(busy->asking, overload * busy->capacity); },
    .baseline = "at saturation",
    .peer = [] { return busy->capacity; },
    .target = at_least_times(0.8),
    .before = start_busy,
    .after = [] { busy.reset(); },
}};

const add latency{{
    .group = "http",
    .name = "p99 of the served at 3x saturation",
    .unit = "us",
    .ours =
        [] {
          return percentile(busy->asking.run(overload * busy->capacity, run_seconds).latencies_us, 0.99);
        },
    .baseline = "unloaded",
    .peer = [] { return percentile(busy->asking.run(busy->capacity / 10, run_seconds).latencies_us, 0.99); },
    .target = at_most_times(5),
    .before = start_busy,
    .after = [] { busy.reset(); },
}};

}  // namespace
