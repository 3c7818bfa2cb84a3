// What a loop could gain by io_uring: bare servers on both interfaces of the kernel. `./dev bench
// --with-peers` installs what they need.

#include <memory>
#include <string>

#include "http/served_load.hpp"
#include "support/figure.hpp"

namespace {

using namespace weft::bench;

std::unique_ptr<served_load<>> by_uring;
std::unique_ptr<served_load<>> by_epoll;

figure cpu_of(const std::string& name, const std::string& kind) {
  return {
      .group = "http",
      .name = name,
      .unit = "us",
      .ours = [] { return by_uring->cpu_us_per_request(); },
      .baseline = "raw epoll",
      .peer = [] { return by_epoll->cpu_us_per_request(); },
      .before =
          [kind] {
            leave_the_first_core();
            by_uring = std::make_unique<served_load<>>(kind);
            by_epoll = std::make_unique<served_load<>>("raw");
          },
      .after =
          [] {
            by_uring.reset();
            by_epoll.reset();
          },
  };
}

const add readiness{cpu_of("raw io_uring that polls, CPU per request", "uring-readiness")};
const add completions{cpu_of("raw io_uring that receives and sends, CPU per request", "uring-completions")};

}  // namespace
