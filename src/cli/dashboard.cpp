#include "cli/dashboard.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>

#include <weft/core/error.hpp>
#include <weft/dashboard/site.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/host_names.hpp>
#include <weft/http/server.hpp>
#include <weft/net/endpoint.hpp>
#include <weft/process/signals.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"

namespace weft::inline v1::cli {

namespace {

/// The first line of the file.
std::string token_in(const std::string& file) {
  if (file.empty()) return {};
  std::ifstream from(file);
  std::string token;
  if (!std::getline(from, token) || token.empty())
    throw error(errc::not_found, "there is no token in the first line of \"" + file + '"');
  return token;
}

int serve(const dashboard_options& options) {
  process::signal_watch signals{SIGTERM, SIGINT};
  const bool makes_token = options.operator_token_file.empty();
  const std::string token = makes_token ? dashboard::make_token() : token_in(options.operator_token_file);
  dashboard::site site(open_existing(options.store), {.operator_token = token,
                                                      .viewer_token = token_in(options.viewer_token_file),
                                                      .keys = keys_where_given(options.keys),
                                                      .hosts = options.hosts,
                                                      .trace_url = options.trace_url,
                                                      .worker_url = options.worker_url,
                                                      .shown_context = options.shown_context,
                                                      .shows_fibers = false,  // only its own
                                                      .is_behind_https = options.is_behind_https});
  http::server server({.listen = options.listen});
  site.mount(server.routes());
  server.start();
  // Behind '#' it stays in the browser: no proxy and no log sees it.
  std::printf("%s/%s\n", server.url().c_str(), makes_token ? ("#token=" + token).c_str() : "");
  std::fflush(stdout);
  signals.wait();
  server.stop();
  return exit_ok;
}

}  // namespace

int run_dashboard(const dashboard_options& options) {
  return guarded("weft dashboard", [&] {
    const bool is_wide = !http::is_local(net::endpoint::parse(options.listen));
    if (is_wide && (options.operator_token_file.empty() || options.hosts.empty())) {
      std::fputs(
          "weft dashboard: others can reach this address: say --operator-token-file FILE, and --host NAME by "
          "which browsers ask for it\n",
          stderr);
      return exit_usage;
    }
    run_options how;
    how.stack_bytes = 256 * 1024;
    return run([&] { return serve(options); }, how);
  });
}

}  // namespace weft::inline v1::cli
