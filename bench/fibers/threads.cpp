// Channels between fibers of two threads.

#include <vector>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>

#include "fibers/two_threads.hpp"
#include "peers/peers.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t messages = 1'000'000;

/// `count` fibers that do `work`; returns when they have ended.
template <typename Work>
void together(std::size_t count, const Work& work) {
  std::vector<weft::fiber<void>> all;
  repeat(count, [&] { all.push_back(weft::go([&] { work(); })); });
  for (auto& one : all) one.join();
}

double between_threads(std::size_t producers, std::size_t consumers) {
  const auto run = [&](std::size_t count) {
    weft::channel<int> through(128);
    const auto take = [&] {
      while (auto value = through.pop()) keep(*value);
    };
    const auto push = [&] {
      for (std::size_t n = 0; n < count / producers; ++n) through.push(static_cast<int>(n));
    };
    const auto here = [&] {
      together(producers, push);
      through.close();
    };
    on_two_threads(here, [&] { together(consumers, take); });
  };
  run(messages / 10);
  return ns_per(messages, [&] { run(messages); });
}

const add one_to_one{{
    .group = "fibers",
    .name = "channel 128, two threads",
    .unit = "ns",
    .ours = [] { return between_threads(1, 1); },
    .baseline = "Go",
    .peer = go_peer("channel_128", 2),
    .target = at_most_times(1.0 / 1.5),
    .more = {{"Boost.Fiber", boost_peer("channel_128_threads"), at_most_times(1.0 / 2.6)}},
}};

const add four_to_four{{
    .group = "fibers",
    .name = "4 producers, 4 consumers, two threads",
    .unit = "ns",
    .ours = [] { return between_threads(4, 4); },
    .baseline = "Go",
    .peer = go_peer("channel_4p4c", 2),
    .target = at_most_times(1.0 / 1.7),
    .more = {{"Boost.Fiber", boost_peer("channel_4p4c"), at_most_times(1.0 / 1.7)}},
}};

}  // namespace
