// A room whose guests talk over WebSockets: room.cpp.
//
//   chat           20 guests talk, and each must hear all; 1: one did not
//   chat --serve   serves until ctrl-C
//   chat --serve-in-processes
//                  the same in four processes; SIGHUP replaces them

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <weft/fiber/run.hpp>
#include <weft/http/process_group.hpp>
#include <weft/process/signals.hpp>

#include "room.hpp"

namespace {

int serve_in_processes() {
  weft::http::process_group group{{.listen = "127.0.0.1:8080", .processes = 4, .name = "chat"}};
  return group.run([](weft::http::server_process& here) {
    chat::room room([&](const std::string& what) { here.tell_others(what); });
    here.on_message([&](std::string_view what) { room.hear(std::string(what)); });
    weft::http::server server{here.options()};
    chat::add_routes(server, room);
    here.serve(server);
  });
}

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
  const std::string_view how = argc == 1 ? "" : argc == 2 ? argv[1] : "?";
  if (how != "" && how != "--serve" && how != "--serve-in-processes") {
    std::fputs("usage: chat [--serve | --serve-in-processes]\n", stderr);
    return 2;
  }
  try {
    if (how == "--serve-in-processes") return serve_in_processes();
    return weft::run([&] { return run(how.empty()); });
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "chat: %s\n", failure.what());
    return 2;
  }
}
