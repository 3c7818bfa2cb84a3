// Fibers that take turns: by yielding, and by channels.

#include <vector>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "fibers/peers.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t yields = 1'000'000;
constexpr std::size_t messages = 500'000;

double yield_between(std::size_t count, std::size_t rounds) {
  double ns = 0;
  weft::run([&] {
    ns = ns_per(count * rounds, [&] {
      std::vector<weft::fiber<void>> all;
      repeat(count, [&] { all.push_back(weft::go([&] { repeat(rounds, [] { weft::yield(); }); })); });
      for (auto& one : all) one.join();
    });
  });
  return ns;
}

double ping_pong(std::size_t rounds) {
  double ns = 0;
  weft::run([&] {
    weft::channel<int> there(1), back(1);
    auto echo = weft::go([&] {
      while (auto value = there.pop()) back.push(*value);
    });
    ns = ns_per(2 * rounds, [&] {
      repeat(rounds, [&] {
        there.push(1);
        back.pop();
      });
    });
    there.close();
    echo.join();
  });
  return ns;
}

const add yield_2{{
    .group = "fibers",
    .name = "yield, 2 fibers",
    .unit = "ns",
    .ours = [] { return yield_between(2, yields / 2); },
    .baseline = "Boost.Fiber",
    .peer = [] { return peers::fiber_yield(2, yields / 2); },
    .target = at_most_times(1.0 / 10),
}};

const add yield_1000{{
    .group = "fibers",
    .name = "yield, 1,000 fibers",
    .unit = "ns",
    .ours = [] { return yield_between(1000, yields / 1000); },
    .baseline = "Boost.Fiber",
    .peer = [] { return peers::fiber_yield(1000, yields / 1000); },
    .target = at_most_times(1.0 / 4.5),
}};

const add channel{{
    .group = "fibers",
    .name = "channel ping-pong, capacity 1",
    .unit = "ns",
    .ours = [] { return ping_pong(messages / 2); },
    .baseline = "Boost.Fiber",
    .peer = [] { return peers::fiber_ping_pong(messages / 2); },
    .target = at_most_times(1.0 / 12),
}};

}  // namespace
