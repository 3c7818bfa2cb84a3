// A proxy in front of another HTTP server: proxy.cpp.
//
//   reverse_proxy              tries it all in this process; 1: something was wrong
//   reverse_proxy AT UPSTREAM  serves until ctrl-C, e.g. 127.0.0.1:8080 http://127.0.0.1:9090

#include <csignal>
#include <cstdio>
#include <exception>

#include <weft/fiber/run.hpp>
#include <weft/process/signals.hpp>

#include "proxy.hpp"

namespace {

int serve(const char* at, const char* upstream_url) {
  reverse_proxy::upstream to(upstream_url);
  weft::http::server front{{.listen = at}};
  reverse_proxy::add_routes(front, to);
  front.start();
  weft::wait_signal({SIGINT, SIGTERM});
  front.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 1 && argc != 3) {
    std::fputs("usage: reverse_proxy [AT UPSTREAM]\n", stderr);
    return 2;
  }
  try {
    return weft::run([&] { return argc == 3 ? serve(argv[1], argv[2]) : reverse_proxy::run_demo(); });
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "reverse_proxy: %s\n", failure.what());
    return 2;
  }
}
