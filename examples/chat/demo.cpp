#include <cstdio>
#include <set>
#include <string>

#include <weft/fiber/barrier.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>

#include "room.hpp"

namespace chat {

namespace {

constexpr int guests = 20;
constexpr int rounds = 10;

/// Reads until each guest was heard in this round.
bool hears_all(weft::http::websocket& socket, int round) {
  std::set<std::string> missing;
  for (int i = 0; i < guests; ++i)
    missing.insert("guest" + std::to_string(i) + ": round " + std::to_string(round));
  while (!missing.empty()) {
    const auto heard = socket.read();
    if (!heard) return false;
    missing.erase(heard->data);
  }
  return true;
}

}  // namespace

int run_demo(const std::string& address, const room& where) {
  int heard = 0;
  weft::barrier all(guests);
  weft::scope everybody;
  for (int i = 0; i < guests; ++i) {
    everybody.go([&, i] {
      auto socket =
          weft::http::websocket::connect("ws://" + address + "/room?name=guest" + std::to_string(i));
      while (where.guests() < guests) weft::yield();
      for (int round = 0; round < rounds; ++round) {
        all.arrive_and_wait();
        socket.send("round " + std::to_string(round));
        if (!hears_all(socket, round)) break;
        ++heard;
      }
      all.arrive_and_drop();
      socket.close();
    });
  }
  everybody.join();
  std::printf("%d guests, %d rounds: %d of %d times all were heard\n", guests, rounds, heard,
              guests * rounds);
  return heard == guests * rounds ? 0 : 1;
}

}  // namespace chat
