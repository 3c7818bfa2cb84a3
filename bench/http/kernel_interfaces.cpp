// What a loop could gain by io_uring: bare servers on both interfaces of the kernel. `./dev bench
// --with-peers` installs what they need.

#include <string>

#include "http/served_load.hpp"
#include "support/figure.hpp"

namespace {

using namespace weft::bench;

compared_servers both;  // by io_uring, and by epoll

figure cpu_of(const std::string& name, const std::string& kind) {
  return {
      .group = "http",
      .name = name,
      .unit = "us",
      .ours = [] { return both.ours->cpu_us_per_request(); },
      .baseline = "raw epoll",
      .peer = [] { return both.raw->cpu_us_per_request(); },
      .before = [kind] { both.start(kind, "raw"); },
      .after = [] { both.end(); },
  };
}

const add readiness{cpu_of("raw io_uring that polls, CPU per request", "uring-readiness")};
const add completions{cpu_of("raw io_uring that receives and sends, CPU per request", "uring-completions")};

}  // namespace
