// Hello for 16 clients beside 2,000 that are slow on purpose: heads and bodies that come a byte at a time,
// answers that are read so, and connections that say nothing.

#include "support/slow_clients.hpp"

#include <chrono>
#include <memory>
#include <thread>

#include "http/load.hpp"
#include "http/server_process.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;
using namespace std::chrono_literals;

struct besieged_server {
  server_process server{"weft"};
  load asking{server.port(), 16};
  std::unique_ptr<weft_test::slow_clients> slow;

  double p99_ms() { return percentile(asking.run(10'000).latencies_us, 0.99) / 1000; }
  /// Each slow client sends five bytes a second.
  void besiege() {
    slow = std::make_unique<weft_test::slow_clients>(server.port(), 2000, 200ms);
    for (int waits = 0; slow->rounds() == 0; ++waits) {
      if (waits == 1000) throw unavailable("2,000 clients could not be connected");
      std::this_thread::sleep_for(10ms);
    }
    if (slow->failed() > 0) throw unavailable("too few descriptors for 2,000 clients");
  }
};

std::unique_ptr<besieged_server> besieged;
std::unique_ptr<besieged_server> free_of_them;

const add good_p99{{
    .group = "http",
    .name = "hello beside 2,000 slow clients, p99",
    .unit = "ms",
    .ours = [] { return besieged->p99_ms(); },
    .baseline = "without them",
    .peer = [] { return free_of_them->p99_ms(); },
    .target = at_most(50),
    .before =
        [] {
          leave_the_first_core();
          free_of_them = std::make_unique<besieged_server>();
          besieged = std::make_unique<besieged_server>();
          besieged->besiege();
        },
    .after =
        [] {
          besieged.reset();
          free_of_them.reset();
        },
}};

}  // namespace
