// Fibers that switch, wait, throw, and use their stacks deeply; run by valgrind in the test fiber_valgrind.
#include <cstdlib>
#include <stdexcept>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

namespace {

[[gnu::noinline]] int deep(int levels) {
  volatile char frame[512];
  for (volatile char& one : frame) one = 1;
  return levels == 0 ? frame[0] : deep(levels - 1) + frame[1];
}

void work(weft::channel<int>& values) {
  int sum = deep(20);
  try {
    throw std::runtime_error("kept");
  } catch (const std::runtime_error&) {
    weft::yield();
    sum += values.pop().value_or(0);
  }
  if (sum < 21) std::abort();
}

}  // namespace

int main() {
  return weft::run([] {
    weft::channel<int> values(4);
    weft::scope children;
    for (int i = 0; i < 20; ++i) children.go([&] { work(values); });
    for (int i = 0; i < 20; ++i) values.push(1);
    children.join();
    return 0;
  });
}
