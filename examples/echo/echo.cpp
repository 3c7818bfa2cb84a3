// A TCP server that says everything again: a fiber for each connection.
//
//   echo                  100 clients talk to it, and each must hear what it said; 1: one did not
//   echo --serve ADDRESS  serves until ctrl-C, e.g. at 127.0.0.1:7007; nc 127.0.0.1 7007 is a client

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/net/listener.hpp>
#include <weft/process/signals.hpp>

namespace {

using weft::net::stream;

void serve(stream peer) {
  char bytes[4096];
  try {
    while (const std::size_t count = peer.read_some(bytes)) peer.write_all({bytes, count});
  } catch (const weft::error& gone) {
    std::fprintf(stderr, "echo: a client is gone: %s\n", gone.what());
  }
}

void accept_all(weft::net::listener& listening, weft::scope& all) {
  while (true) all.go([peer = listening.accept()]() mutable { serve(std::move(peer)); });
}

/// What a client hears of what it says.
std::string talk(const weft::net::endpoint& to, const std::string& text) {
  stream server = stream::connect(to);
  server.write_all(text);
  server.shutdown_write();
  std::string heard;
  char bytes[4096];
  while (const std::size_t count = server.read_some(bytes)) heard.append(bytes, count);
  return heard;
}

int demo(const weft::net::endpoint& to) {
  int wrong = 0;
  weft::scope clients;
  for (int i = 0; i < 100; ++i) {
    clients.go([&wrong, &to, i] {
      const std::string text(static_cast<std::size_t>(i) * 1000, static_cast<char>('a' + i % 26));
      if (talk(to, text) != text) ++wrong;
    });
  }
  clients.join();
  std::printf("100 clients, %d heard something else\n", wrong);
  return wrong == 0 ? 0 : 1;
}

int run(const char* address) {
  weft::net::listener listening(weft::net::endpoint::parse(address != nullptr ? address : "127.0.0.1:0"));
  weft::scope all;
  all.go([&] { accept_all(listening, all); });
  const int status = address == nullptr ? demo(listening.address()) : 0;
  if (address != nullptr) weft::wait_signal({SIGINT, SIGTERM});
  all.cancel();  // who accepts, and whoever is still served
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const bool serves = argc == 3 && std::string_view(argv[1]) == "--serve";
  if (argc > 1 && !serves) {
    std::fputs("usage: echo [--serve ADDRESS]\n", stderr);
    return 2;
  }
  try {
    return weft::run([&] { return run(serves ? argv[2] : nullptr); });
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "echo: %s\n", failure.what());
    return 2;
  }
}
