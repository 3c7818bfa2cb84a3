// Fibers of one thread that take turns: by yielding, and by channels.

#include <array>
#include <optional>
#include <vector>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/select.hpp>

#include "peers/peers.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;

constexpr std::size_t yields = 1'000'000;
constexpr std::size_t rounds = 250'000;
constexpr std::size_t messages = 1'000'000;

/// Runs `work(n)` on a fiber as warm-up with a tenth of `count`, then gives nanoseconds for each of `count`.
template <typename Work>
double in_a_run(std::size_t count, Work work) {
  double ns = 0;
  weft::run([&] {
    work(count / 10);
    ns = cpu_ns_per(count, [&] { work(count); });
  });
  return ns;
}

double yield_between(std::size_t count) {
  return in_a_run(yields, [=](std::size_t all_yields) {
    std::vector<weft::fiber<void>> all;
    const std::size_t each = all_yields / count;
    repeat(count, [&] { all.push_back(weft::go([=] { repeat(each, [] { weft::yield(); }); })); });
    for (auto& one : all) one.join();
  });
}

double ping_pong() {
  return in_a_run(2 * rounds, [](std::size_t both_ways) {
    weft::channel<int> there(1), back(1);
    auto echo = weft::go([&] {
      while (auto value = there.pop()) back.push(*value);
    });
    repeat(both_ways / 2, [&] {
      there.push(1);
      back.pop();
    });
    there.close();
    echo.join();
  });
}

double one_way() {
  return in_a_run(messages, [](std::size_t count) {
    weft::channel<int> through(128);
    auto taker = weft::go([&] {
      while (auto value = through.pop()) keep(*value);
    });
    for (std::size_t n = 0; n < count; ++n) through.push(static_cast<int>(n));
    through.close();
    taker.join();
  });
}

/// A select over four channels of which one, another each time, is ready.
double select_one_ready() {
  return in_a_run(messages, [](std::size_t count) {
    std::array<weft::channel<int>, 4> of{weft::channel<int>(1), weft::channel<int>(1), weft::channel<int>(1),
                                         weft::channel<int>(1)};
    long sum = 0;
    const auto add_up = [&](std::optional<int> value) { sum += *value; };
    for (std::size_t n = 0; n < count; ++n) {
      of[n % 4].push(static_cast<int>(n));
      weft::select(weft::on_pop(of[0], add_up), weft::on_pop(of[1], add_up), weft::on_pop(of[2], add_up),
                   weft::on_pop(of[3], add_up));
    }
    keep(sum);
  });
}

const add yield_2{{
    .group = "fibers",
    .name = "yield, 2 fibers",
    .unit = "ns",
    .ours = [] { return yield_between(2); },
    .baseline = "Go",
    .peer = go_peer("yield_2"),
    .target = at_most_times(1.0 / 6),
    .more = {{"Boost.Fiber", boost_peer("yield_2"), at_most_times(1.0 / 10)}},
}};

const add yield_1000{{
    .group = "fibers",
    .name = "yield, 1,000 fibers",
    .unit = "ns",
    .ours = [] { return yield_between(1000); },
    .baseline = "Go",
    .peer = go_peer("yield_1000"),
    .target = at_most_times(1.0 / 4),
    .more = {{"Boost.Fiber", boost_peer("yield_1000"), at_most_times(1.0 / 4.5)}},
}};

const add channel{{
    .group = "fibers",
    .name = "channel ping-pong, capacity 1",
    .unit = "ns",
    .ours = ping_pong,
    .baseline = "Go",
    .peer = go_peer("ping_pong"),
    .target = at_most_times(1.0 / 6),
    .more = {{"Boost.Fiber", boost_peer("ping_pong"), at_most_times(1.0 / 12)}},
}};

const add channel_128{{
    .group = "fibers",
    .name = "channel 128, one thread",
    .unit = "ns",
    .ours = one_way,
    .baseline = "Go",
    .peer = go_peer("channel_128"),
    .target = at_most_times(1.0 / 3),
    .more = {{"Boost.Fiber", boost_peer("channel_128"), at_most_times(1.0 / 5)}},
}};

const add select_4{{
    .group = "fibers",
    .name = "select over 4 channels, one ready",
    .unit = "ns",
    .ours = select_one_ready,
    .baseline = "Go",
    .peer = go_peer("select_4"),
    .target = at_most_times(1.0 / 3),
}};

}  // namespace
