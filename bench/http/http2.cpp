// Hello over HTTP/2 and HTTP/1.1, both loaded by h2load with 64 requests under way: 8 on each of 8
// connections, and one on each of 64.

#include <unistd.h>

#include <memory>
#include <string>

#include "http/server_process.hpp"
#include "support/child.hpp"
#include "support/figure.hpp"

namespace {

using namespace weft::bench;

constexpr int requests = 20'000;

std::unique_ptr<server_process> server;

void start() {
  if (::access("/usr/bin/h2load", X_OK) != 0) throw unavailable("no h2load");
  leave_the_first_core();
  server = std::make_unique<server_process>("weft");
}

double cpu_us_per_request(const std::string& how) {
  const double before = server->cpu_seconds();
  std::string command = "h2load ";
  command.append(how).append(" --requests=").append(std::to_string(requests)).append(" http://127.0.0.1:");
  command.append(std::to_string(server->port())).append("/hello/you | grep succeeded");
  const std::string said = text_from({"/bin/sh", "-c", command});
  if (said.find(std::to_string(requests) + " succeeded") == std::string::npos) throw unavailable(said);
  return (server->cpu_seconds() - before) * 1e6 / requests;
}

const add cpu{{
    .group = "http",
    .name = "hello over HTTP/2, CPU of the server per request",
    .unit = "us",
    .ours = [] { return cpu_us_per_request("--clients=8 --max-concurrent-streams=8"); },
    .baseline = "weft, HTTP/1.1",
    .peer = [] { return cpu_us_per_request("--h1 --clients=64"); },
    .before = start,
    .after = [] { server.reset(); },
}};

}  // namespace
