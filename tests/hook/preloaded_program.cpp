// A program with weft that was not linked with the library: says whether a sleep of libc lets another fiber
// run.

#include <unistd.h>

#include <cstdio>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

int main() {
  return weft::run([] {
    bool ran = false;
    auto other = weft::go([&] { ran = true; });
    usleep(1000);
    std::puts(ran ? "suspends" : "blocks");
    other.join();
  });
}
