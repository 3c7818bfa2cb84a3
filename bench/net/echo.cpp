// Round trips over TCP: both ends on fibers of one thread, against both ends in one epoll loop of one thread.
// The kernel does the same for both, and the rest is what a wait costs.

#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/net/listener.hpp>

#include "net/raw_echo.hpp"
#include "support/child.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;
using weft::net::stream;

constexpr std::size_t trips = 20'000;

void echo_until_the_end(stream& from) {
  std::array<char, 4096> buffer;
  while (const std::size_t count = from.read_some(buffer)) from.write_all({buffer.data(), count});
}

void ask(stream& over, std::size_t count) {
  const std::string message(message_bytes, 'x');
  std::array<char, 4096> buffer;
  repeat(count, [&] {
    over.write_all(message);
    over.read_some(buffer);
  });
}

/// As raw_echo, on fibers.
void fiber_echo(std::size_t connections, std::size_t count) {
  weft::run([&] {
    weft::net::listener listening(weft::net::endpoint::tcp("127.0.0.1", 0));
    std::vector<stream> clients(connections);
    std::vector<stream> servers(connections);
    for (std::size_t n = 0; n < connections; ++n) {
      clients[n] = stream::connect(listening.address());
      servers[n] = listening.accept();
    }
    weft::scope all;
    for (stream& one : servers) all.go([&one] { echo_until_the_end(one); });
    for (stream& one : clients) {
      all.go([&one, share = count / connections] {
        ask(one, share);
        one.close();
      });
    }
    all.join();
  });
}

double fiber_ns(std::size_t connections) {
  return cpu_ns_per(trips, [&] { fiber_echo(connections, trips); });
}
double raw_ns(std::size_t connections) {
  return cpu_ns_per(trips, [&] { raw_echo(connections, trips); });
}

const add one_connection{{
    .group = "net",
    .name = "TCP echo, 1 connection, CPU per round trip",
    .unit = "ns",
    .ours = [] { return fiber_ns(1); },
    .baseline = "raw epoll",
    .peer = [] { return raw_ns(1); },
    .target = at_most_times(1.15),
}};

const add many_connections{{
    .group = "net",
    .name = "TCP echo, 64 connections, CPU per round trip",
    .unit = "ns",
    .ours = [] { return fiber_ns(64); },
    .baseline = "raw epoll",
    .peer = [] { return raw_ns(64); },
    .target = at_most_times(1.15),
}};

// ---- system calls

constexpr std::size_t few = 1'000;
constexpr std::size_t many = 5'000;

const add_probe fibers_few{"net_echo_fibers_few", [] { return fiber_echo(1, few), 0.0; }};
const add_probe fibers_many{"net_echo_fibers_many", [] { return fiber_echo(1, many), 0.0; }};
const add_probe raw_few{"net_echo_raw_few", [] { return raw_echo(1, few), 0.0; }};
const add_probe raw_many{"net_echo_raw_many", [] { return raw_echo(1, many), 0.0; }};

std::string this_program() {
  std::array<char, 4096> path;
  const ssize_t bytes = ::readlink("/proc/self/exe", path.data(), path.size());
  if (bytes <= 0) throw unavailable("the path of this program is not known");
  return std::string(path.data(), static_cast<std::size_t>(bytes));
}

/// The total of the calls column of `strace -c` for a probe.
double calls_of(const std::string& probe) {
  const std::string file = "/tmp/weft-bench-strace." + std::to_string(::getpid()) + ".txt";
  number_from({"strace", "-f", "-c", "-o", file, this_program(), "--probe", probe});
  double total = 0;
  std::ifstream table(file);
  for (std::string line; std::getline(table, line);) {
    if (!line.ends_with(" total")) continue;
    std::istringstream columns(line);
    std::string share, seconds, each;
    columns >> share >> seconds >> each >> total;
  }
  std::remove(file.c_str());
  if (total == 0) throw unavailable("strace gave no table");
  return total;
}

/// Start and end do not count: the difference between two lives.
double calls_per_trip(const std::string& kind) {
  return (calls_of("net_echo_" + kind + "_many") - calls_of("net_echo_" + kind + "_few")) /
         static_cast<double>(many - few);
}

const add calls{{
    .group = "net",
    .name = "TCP echo, system calls per round trip, both ends",
    .unit = "calls",
    .ours = [] { return calls_per_trip("fibers"); },
    .baseline = "raw epoll",
    .peer = [] { return calls_per_trip("raw"); },
    .target = at_most_times(1.02),
}};

}  // namespace
