// A user of weft outside its tree: two fibers, a channel, a context value.
#include <weft/context/context.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include <cstdlib>
#include <iostream>

namespace {

constexpr weft::key_spec limit_spec{.name = "consumer.limit"};
const weft::key<int> limit{limit_spec};

bool registered() {
  for (const char* kind : {"REGISTERED_static", "REGISTERED_shared"}) {
    if (std::getenv(kind) != nullptr) continue;
    std::cerr << kind << ": weft_jobs did not bring the library in\n";
    return false;
  }
  return true;
}

int sum_of_squares() {
  weft::channel<int> squares{1};
  const weft::scoped_value<int> six{limit, 6};
  auto sender = weft::go([&] {
    for (int i = 0; i < limit.require(); ++i) squares.push(i * i);
    squares.close();
  });
  int sum = 0;
  while (auto square = squares.pop()) sum += *square;
  sender.join();
  return sum;
}

}  // namespace

int main() {
  if (!registered()) return 1;
  return weft::run([] {
    const int sum = sum_of_squares();
    std::cout << sum << "\n";
    return sum == 55 ? 0 : 1;
  });
}
