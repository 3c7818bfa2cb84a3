// Hello over TLS 1.3, each time on a new connection that resumes a session: weft against nginx, which use the
// same OpenSSL.

#include <memory>

#include "http/nginx_server.hpp"
#include "http/resumed_load.hpp"
#include "http/server_process.hpp"
#include "support/certificates.hpp"
#include "support/figure.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t connections = 1'000;

template <typename Server>
struct tls_side {
  template <typename... Arguments>
  explicit tls_side(const Arguments&... arguments) : server(arguments...), asking(server.port()) {}
  double cpu_us_per_connection() {
    const double before = server.cpu_seconds();
    asking.run(connections);
    return (server.cpu_seconds() - before) * 1e6 / static_cast<double>(connections);
  }
  Server server;
  resumed_load asking;
};

std::unique_ptr<tls_side<server_process>> ours;
std::unique_ptr<tls_side<nginx_server>> nginx;

const add cpu{{
    .group = "http",
    .name = "hello over a resumed TLS 1.3 connection, CPU of the server",
    .unit = "us",
    .ours = [] { return ours->cpu_us_per_connection(); },
    .baseline = "nginx",
    .peer =
        [] {
          if (!nginx) {
            weft_test::test_ca ca;
            const auto leaf = ca.make({.names = {"127.0.0.1"}});
            nginx = std::make_unique<tls_side<nginx_server>>(leaf.chain, leaf.key);
          }
          return nginx->cpu_us_per_connection();
        },
    .target = at_most_times(1.1),
    .before =
        [] {
          leave_the_first_core();
          ours = std::make_unique<tls_side<server_process>>("weft-tls");
        },
    .after =
        [] {
          ours.reset();
          nginx.reset();
        },
}};

}  // namespace
