// Hello over kept connections: weft's server with its parser, router, context and time limits on,
// against epoll alone. The server has one core, the load another where there is one.

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "http/nginx_server.hpp"
#include "http/served_load.hpp"
#include "support/figure.hpp"

namespace {

using namespace weft::bench;

compared_servers both;
std::unique_ptr<served_load<nginx_server>> nginx;

void start_both() { both.start("weft", "raw"); }

void end_both() {
  both.end();
  nginx.reset();
}

const add cpu{{
    .group = "http",
    .name = "hello, CPU of the server per request",
    .unit = "us",
    .ours = [] { return both.ours->cpu_us_per_request(); },
    .baseline = "raw epoll",
    .peer = [] { return both.raw->cpu_us_per_request(); },
    .target = at_most_times(1.25),
    .more = {{"nginx",
              [] {
                if (!nginx) nginx = std::make_unique<served_load<nginx_server>>();
                return nginx->cpu_us_per_request();
              },
              at_most_times(1)}},
    .before = start_both,
    .after = end_both,
}};

const add rate{{
    .group = "http",
    .name = "hello, 64 connections",
    .unit = "requests/s",
    .ours = [] { return both.ours->requests_per_second(); },
    .baseline = "raw epoll",
    .peer = [] { return both.raw->requests_per_second(); },
    .target = at_least_times(0.9),
    .before = start_both,
    .after = end_both,
}};

const add p99{{
    .group = "http",
    .name = "hello, p99",
    .unit = "us",
    .ours = [] { return both.ours->p99_us(); },
    .baseline = "raw epoll",
    .peer = [] { return both.raw->p99_us(); },
    .target = at_most_times(1.3),
    .before = start_both,
    .after = end_both,
}};

/// The total of the calls column of `strace -c`.
double total_calls(const std::string& file) {
  std::ifstream table(file);
  double total = 0;
  for (std::string line; std::getline(table, line);) {
    if (!line.ends_with(" total")) continue;
    std::istringstream columns(line);
    std::string share, seconds, each;
    columns >> share >> seconds >> each >> total;
  }
  return total;
}

/// System calls of a whole server's life with `count` requests.
double calls_with(const std::string& kind, std::size_t count) {
  const std::string file =
      "/tmp/weft-bench-strace." + std::to_string(std::hash<std::string>()(kind)) + ".txt";
  {
    server_process server(kind, {"strace", "-f", "-c", "-o", file});
    load(server.port(), served_load<>::connections).run(count);
  }
  const double total = total_calls(file);
  std::remove(file.c_str());
  if (total == 0) throw unavailable("strace gave no table");
  return total;
}

/// Start and end do not count: the difference between two lives.
double calls_per_request(const std::string& kind) {
  constexpr std::size_t few = 1'000;
  constexpr std::size_t many = 5'000;
  return (calls_with(kind, many) - calls_with(kind, few)) / static_cast<double>(many - few);
}

const add calls{{
    .group = "http",
    .name = "hello, system calls per request",
    .unit = "calls",
    .ours = [] { return calls_per_request("weft"); },
    .baseline = "raw epoll",
    .peer = [] { return calls_per_request("raw"); },
    .target = at_most(2.3),
}};

}  // namespace
