// A room whose guests talk over WebSockets: room.cpp.
//
//   chat           20 guests talk, and each must hear all; 1: one did not
//   chat --serve   serves until ctrl-C

#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>

#include <weft/fiber/run.hpp>
#include <weft/process/signals.hpp>

#include "room.hpp"

namespace {

int run(bool is_demo) {
  chat::room room;
  weft::http::server server{{.listen = is_demo ? "127.0.0.1:0" : "127.0.0.1:8080"}};
  chat::add_routes(server, room);
  server.start();
  int status = 0;
  if (is_demo) {
    status = chat::run_demo(server.address().text(), room);
  } else {
    std::printf("serving; ctrl-C ends it. Open %s in two windows.\n", server.url().c_str());
    std::fflush(stdout);
    weft::wait_signal({SIGINT, SIGTERM});
  }
  server.stop();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const bool serves = argc == 2 && std::string_view(argv[1]) == "--serve";
  if (argc > 1 && !serves) {
    std::fputs("usage: chat [--serve]\n", stderr);
    return 2;
  }
  try {
    return weft::run([&] { return run(!serves); });
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "chat: %s\n", failure.what());
    return 2;
  }
}
