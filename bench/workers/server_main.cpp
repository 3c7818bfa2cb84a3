// The fork server of the benchmarks: weft_bench_workers_server unix:/path [workers in advance]

#include <cstdio>
#include <exception>
#include <string>

#include <weft/workers/server.hpp>

namespace {

void spin() {
  volatile bool for_ever = true;
  while (for_ever) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    weft::workers::server_options options{.listen = argc > 1 ? argv[1] : ""};
    if (argc > 2) options.min_workers = std::stoul(argv[2]);
    options.interface.add("echo", [](std::string text) { return text; });
    options.interface.add("spin", &spin);
    return weft::workers::server(std::move(options)).run();
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "weft_bench_workers_server: %s\n", failed.what());
    return 1;
  }
}
