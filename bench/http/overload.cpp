// Three times as many requests as the server can serve, each a millisecond of work: what it serves of them,
// and how fast. The server turns away what waited for longer than that millisecond, once there was more than
// it can do for 100 ms: until then it takes the load for a burst. So the beginning has a row of its own.

#include <memory>

#include "http/paced_load.hpp"
#include "http/server_process.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

constexpr double lead_seconds = 0.25;
constexpr double run_seconds = 0.5;
constexpr double beginning_seconds = 0.1;
constexpr double overload = 3;

double p99(const paced_result& of) { return percentile(of.latencies_us, 0.99); }

struct overloaded_server {
  server_process server{"busy"};
  paced_load asking{server.port(), 128};
  paced_load few{server.port(), 4};
  double capacity = served_per_second(few, 5'000);  // there is always one in work

  static double served_per_second(paced_load& by, double rate) {
    const paced_result got = by.run(rate, lead_seconds, run_seconds);
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
    .ours = [] { return p99(busy->asking.run(overload * busy->capacity, lead_seconds, run_seconds)); },
    .baseline = "unloaded",
    .peer = [] { return p99(busy->asking.run(busy->capacity / 10, lead_seconds, run_seconds)); },
    .target = at_most_times(5),
    .before = start_busy,
    .after = [] { busy.reset(); },
}};

const add beginning{{
    .group = "http",
    .name = "p99 of the served as 3x saturation begins",
    .unit = "us",
    .ours =
        [] {
          // A pause ends the overload of the run before.
          busy->asking.run(busy->capacity / 10, 0, lead_seconds);
          return p99(busy->asking.run(overload * busy->capacity, 0, beginning_seconds));
        },
    .before = start_busy,
    .after = [] { busy.reset(); },
}};

}  // namespace
