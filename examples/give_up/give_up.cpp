// One cancel() ends everything that belongs to a piece of work, wherever it waits: fibers, and a program that
// one of them runs. Cleaning up is shielded from it.
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/process/program.hpp>

namespace {

using namespace std::chrono_literals;

struct build {
  weft::event compiles;
  pid_t compiler = -1;
  bool removed = false;

  void run() {
    try {
      weft::scope parts;
      parts.go([&] {
        weft::process::program program({"sleep", "3600"});
        compiler = program.pid();
        compiles.set();
        program.wait();
      });
      parts.go([] { weft::sleep_for(1h); });  // somebody who waits for its result
      parts.join();
    } catch (const weft::cancelled&) {
      weft::shield([&] {       // waits in here are not cancelled
        weft::sleep_for(1ms);  // removing it takes a moment
        removed = true;
      });
      throw;
    }
  }
};

int run() {
  build one;
  auto building = weft::go([&] { one.run(); });
  one.compiles.wait();
  building.cancel();
  try {
    building.join();
  } catch (const weft::cancelled&) {
    std::puts("the build is given up");
  }
  if (one.removed) std::puts("the scratch folder is removed");
  const bool is_gone = ::kill(one.compiler, 0) == -1 && errno == ESRCH;
  std::printf("the compiler is %s\n", is_gone ? "gone" : "still there");
  return is_gone ? 0 : 1;
}

}  // namespace

int main() { return weft::run(run); }
