// A hedged request: where the first shop has not answered soon, a second one is asked as well. The first
// answer counts, and whoever has not answered by then is cancelled where it waits.
#include <chrono>
#include <cstdio>
#include <string>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/first_of.hpp>
#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

struct shop {
  std::string name;
  std::chrono::milliseconds thinks_for;
  int asked = 0, given_up = 0;

  std::string price(const std::string& thing) {
    ++asked;
    try {
      weft::sleep_for(thinks_for);
      return name + " answered " + thing;
    } catch (const weft::cancelled&) {  // no error: nobody wants the answer any more
      ++given_up;
      throw;
    }
  }
};

template <typename Ask, typename AskOther>
auto hedged(std::chrono::milliseconds soon, Ask ask, AskOther ask_other) {
  return weft::first_of(ask, [&] {
    weft::sleep_for(soon);
    return ask_other();
  });
}

int buy() {
  shop slow{"slow shop", 10min}, fast{"fast shop", 1ms}, other{"slow shop", 1h};
  std::printf("%s\n", hedged(
                          20ms, [&] { return slow.price("tea"); }, [&] { return fast.price("tea"); })
                          .c_str());
  slow.thinks_for = 1h;
  // The fast one first: the slow one is not even asked.
  std::printf("%s\n", hedged(
                          10s, [&] { return fast.price("coffee"); }, [&] { return other.price("coffee"); })
                          .c_str());
  std::printf("the slow shop was asked %d time and given up %d time\n", slow.asked + other.asked,
              slow.given_up);
  return 0;
}

}  // namespace

int main() { return weft::run(buy); }
