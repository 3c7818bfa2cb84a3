// A test of a user: a producer and a consumer under the orders of many seeds.
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/simulate.hpp>

int main() {
  return weft::simulated_main([] {
    weft::channel<int> numbers{weft::simulation::random(3)};
    auto sender = weft::go([&] {
      for (int i = 0; i < 5; ++i) numbers.push(i);
      numbers.close();
    });
    int sum = 0;
    while (const auto number = numbers.pop()) sum += *number;
    sender.join();
    weft::simulation::require(sum == 10, "all numbers arrive");
  });
}
