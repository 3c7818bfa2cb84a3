// A library that knows nothing of fibers and blocks in libc. With weft::hook linked, its blocking calls
// suspend the fiber that makes them, and the other fibers of the thread run meanwhile. Nothing in the library
// changes.
#include <poll.h>
#include <unistd.h>
#include <chrono>
#include <cstdio>

#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

namespace {

/// The library: asks a server, in C, and waits for the answer.
int c_library_asks() {
  ::usleep(50'000);
  return ::poll(nullptr, 0, 50);
}

int run() {
  const auto begun = std::chrono::steady_clock::now();
  weft::scope all;
  for (int i = 0; i < 200; ++i) all.go([] { c_library_asks(); });
  all.join();
  const bool side_by_side = std::chrono::steady_clock::now() - begun < std::chrono::seconds(10);
  std::printf("200 blocking calls of 100 ms took %s than 10 seconds\n", side_by_side ? "less" : "more");
  return 0;
}

}  // namespace

int main() { return weft::run(run); }
