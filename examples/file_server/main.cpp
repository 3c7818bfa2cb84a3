// Serves a folder, and tells at /changes, as server-sent events, what happens in it.
//
//   file_server             a short demo on a folder of its own; 1: something was not as it should be
//   file_server FOLDER      serves it until ctrl-C; try curl -N http://127.0.0.1:8080/changes

#include <stdlib.h>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/event_stream.hpp>
#include <weft/http/server.hpp>
#include <weft/http/static_files.hpp>
#include <weft/net/file_watch.hpp>
#include <weft/net/files.hpp>
#include <weft/process/signals.hpp>

namespace {

using namespace std::chrono_literals;
namespace http = weft::http;

void add_routes(http::server& server, const std::string& folder) {
  server.get("/changes",
             [folder](http::request& in, http::response& out) {
               http::event_stream events(in, out);
               weft::files::watch changes;
               changes.add(folder);
               while (events.is_open()) {
                 if (const auto change = changes.next_for(200ms))
                   events.send({.data = change->name, .name = "change"});
               }
             },
             {.handler_timeout = 0ms});
  server.get("/{path...}", http::static_files(folder, {.lists_folders = true, .cache_control = "no-cache"}));
}

int demo() {
  char folder[] = "/tmp/weft-file-server-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return 2;
  const std::string file = std::string(folder) + "/greeting.txt";
  weft::files::write_file(file, "hello, world\n");
  http::server server{{.listen = "127.0.0.1:0"}};
  add_routes(server, folder);
  server.start();
  http::client asking(server.url());
  const http::response whole = asking.get("/greeting.txt");
  const std::string tag(whole.header("ETag").value_or(""));
  const http::response part = asking.get("/greeting.txt", {.headers = {{"Range", "bytes=7-11"}}});
  const http::response same = asking.get("/greeting.txt", {.headers = {{"If-None-Match", tag}}});
  const http::response listing = asking.get("/");
  std::printf("%d %s%d %s\n%d not modified\n%d a page of %zu bytes\n%d for what is not there\n",
              whole.status(), whole.body().c_str(), part.status(), part.body().c_str(), same.status(),
              listing.status(), listing.body().size(), asking.get("/%2e%2e/passwd").status());
  server.stop();
  weft::files::remove(file);
  weft::files::remove(folder);
  return part.body() == "world" && same.status() == 304 && listing.status() == 200 ? 0 : 1;
}

int serve(const std::string& folder) {
  http::server server{{.listen = "127.0.0.1:8080"}};
  add_routes(server, folder);
  server.start();
  std::printf("serving %s at %s; ctrl-C ends it\n", folder.c_str(), server.url().c_str());
  std::fflush(stdout);
  weft::wait_signal({SIGINT, SIGTERM});
  server.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return weft::run([&] { return argc == 2 ? serve(argv[1]) : demo(); });
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "file_server: %s\n", failure.what());
    return 2;
  }
}
