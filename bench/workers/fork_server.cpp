#include "workers/fork_server.hpp"

#include <cstdlib>
#include <filesystem>

#include <sched.h>
#include <unistd.h>

#include <weft/core/error.hpp>

#include "support/figure.hpp"

namespace weft::bench {

fork_server::fork_server(std::size_t in_advance) {
  use_all_cores();
  char name[] = "/tmp/weft-bench-XXXXXX";
  if (::mkdtemp(name) == nullptr) throw unavailable("no folder for a socket");
  folder_ = name;
  address_ = "unix:" + folder_ + "/socket";
  try {
    process_ = process::child::spawn({.program = WEFT_BENCH_WORKERS_SERVER,
                                      .arguments = {"server", address_, std::to_string(in_advance)}});
    pool(1).call<std::string>("echo", "x");
  } catch (const error& failed) {
    throw unavailable(failed.what());
  }
}

fork_server::~fork_server() {
  process_.terminate(std::chrono::seconds(2));
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

workers::client fork_server::pool(std::size_t workers, workers::protocol_choice protocol) const {
  // A client tries to connect again until its time is over.
  workers::client made({.connect = address_,
                        .min_workers = 0,
                        .max_workers = workers,
                        .timeout = std::chrono::seconds(5),
                        .protocol = protocol});
  std::vector<workers::checkout> all;
  for (std::size_t i = 0; i < workers; ++i) {
    all.push_back(made.checkout());
    all.back().call<std::string>("echo", "x");
  }
  return made;
}

void use_all_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (long core = 0; core < ::sysconf(_SC_NPROCESSORS_ONLN); ++core) CPU_SET(static_cast<int>(core), &set);
  ::sched_setaffinity(0, sizeof set, &set);  // only a wish
}

}  // namespace weft::bench
