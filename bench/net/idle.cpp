// What a connection takes that nothing comes over: its stream, its registration, and the fiber that waits.

#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/net/stream.hpp>

#include "support/child.hpp"
#include "support/figure.hpp"
#include "support/process_figures.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t connections = 5'000;

void allow_descriptors(std::size_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < count) throw unavailable("fewer descriptors are allowed than it takes");
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

double idle_bytes() {
  allow_descriptors(2 * connections + 100);
  double bytes = 0;
  const auto main = [&bytes] {
    std::vector<weft::unique_fd> peers(connections);
    std::vector<weft::fiber<void>> all(connections);
    const double before = resident_bytes();
    std::size_t waiting = 0;
    for (std::size_t n = 0; n < connections; ++n) {
      std::array<int, 2> both{};
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()) != 0)
        throw weft::system_error("socketpair", errno);
      peers[n] = weft::unique_fd(both[0]);
      all[n] = weft::go([fd = both[1], &waiting] {
        weft::net::stream idle{weft::unique_fd(fd)};
        std::array<char, 256> buffer;
        ++waiting;
        idle.read_some(buffer);
      });
    }
    while (waiting < connections) weft::yield();
    weft::yield();
    bytes = (resident_bytes() - before) / static_cast<double>(connections);
    peers.clear();
    for (auto& one : all) one.join();
  };
  weft::run(main, {.max_fibers = connections + 10});
  return bytes;
}

const add_probe probe{"net_idle", idle_bytes};

const add idle{{
    .group = "net",
    .name = "resident bytes, idle connection with its fiber",
    .unit = "bytes",
    .ours = in_fresh_process("net_idle"),
    .target = at_most(6.0 * 1024),
    .warm_up = false,
}};

}  // namespace
