// Who asks, known wherever the work goes: the user of a request is bound once (service.cpp) and read on the
// threads of a store (notes.cpp), and every log record shows it. No function passes it on.
//
//   request_user           1,000 users at once, each answer and each log record looked at; 1: some were mixed
//   request_user --serve   serves until ctrl-C

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <weft/fiber/run.hpp>
#include <weft/http/server.hpp>
#include <weft/process/signals.hpp>

#include "demo.hpp"
#include "service.hpp"

namespace {

int serve(const std::string& url) {
  std::printf(
      "serving; ctrl-C ends it. Try:\n\n  curl %s/notes -H 'X-User: 7' -d 'buy milk'\n  curl %s/notes -H "
      "'X-User: 7'\n\n",
      url.c_str(), url.c_str());
  std::fflush(stdout);
  weft::wait_signal({SIGINT, SIGTERM});
  return 0;
}

int run(bool is_demo) {
  notes::store kept;
  weft::http::server server{{.listen = is_demo ? "127.0.0.1:0" : "127.0.0.1:8080"}};
  notes::add_routes(server, kept);
  server.start();
  const int status = is_demo ? notes::run_demo(server.url()) : serve(server.url());
  server.stop();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const bool serves = argc == 2 && std::string_view(argv[1]) == "--serve";
  if (argc > 1 && !serves) {
    std::fputs("usage: request_user [--serve]\n", stderr);
    return 2;
  }
  try {
    return weft::run([&] { return run(!serves); });
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "request_user: %s\n", failure.what());
    return 2;
  }
}
