#pragma once

#include <chrono>
#include <string>

#include <weft/workers/server_status.hpp>

namespace weft::inline v1::cli {

/// `weft workers`: what a worker server is doing.
struct workers_options {
  std::string address;   ///< "unix:/path" or "host:port"
  std::string key_file;  ///< for a server that has keys; empty: none
  bool as_json = false;
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);
};

/// The figures as people read them: a few lines for the server, then a table of its workers.
std::string workers_text(const workers::server_figures& from);

/// Prints the figures on stdout, or on stderr why there are none. Gives the exit status: 0, 1 where the
/// server did not answer or refused, 2 for an address that cannot be or a key file that cannot be used.
int run_workers(const workers_options& options);

}  // namespace weft::inline v1::cli
