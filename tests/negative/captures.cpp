// What weft_captures.py finds is marked: line by line, nothing else.

#include <chrono>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/timer.hpp>

using namespace std::chrono_literals;

struct server {
  int calls = 0;
  void start() {
    weft::go([this] { ++calls; });  // found
    weft::go([*this] { static_cast<void>(calls); });
    auto kept = weft::go([this] { ++calls; });
    kept.join();
  }
};

void start(bool now) {
  int x = 0;
  weft::go([&] { ++x; });                                // found
  weft::go([&x] { ++x; }).detach();                      // found
  weft::go_now([&] { ++x; }, {.name = "now"}).detach();  // found
  weft::go([x] { static_cast<void>(x); });
  weft::go([] {}).detach();
  weft::go([&] { ++x; }).join();
  auto kept = weft::go([&] { ++x; });
  kept.join();

  const auto named = [&] { ++x; };
  weft::go(named);           // found
  if (now) weft::go(named);  // found
  weft::go([&] { ++x; });    // NOLINT: the caller ends the program

  weft::scope children;
  children.go([&] { ++x; });
  children.join();

  weft::after(1s, [&] { ++x; }).detach();  // found
  weft::every(1s, [&] { ++x; }).detach();  // found
  auto timer = weft::after(1s, [&] { ++x; });
}
