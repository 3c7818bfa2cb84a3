#include <thread>
#include <vector>

#include "peers/boost/peer.hpp"

namespace weft::bench::boost_peer {
namespace {

constexpr std::size_t yields = 1'000'000;
constexpr std::size_t rounds = 250'000;
constexpr std::size_t messages = 1'000'000;

using channel = fibers::buffered_channel<int>;

/// `count` fibers of this thread that do `work`; returns when they have ended.
template <typename Work>
void together(std::size_t count, Work work) {
  std::vector<fibers::fiber> all;
  repeat(count, [&] { all.push_back(start(work)); });
  for (auto& one : all) one.join();
}

void take_all(channel& through) {
  for (int value : through) keep(value);
}

void push_all(channel& through, std::size_t count) {
  for (std::size_t n = 0; n < count; ++n) through.push(static_cast<int>(n));
}

}  // namespace

double yield_between(std::size_t count) {
  const auto run = [&](std::size_t times) {
    together(count, [=] { repeat(times, [] { boost::this_fiber::yield(); }); });
  };
  run(yields / count / 10);
  return cpu_ns_per(yields, [&] { run(yields / count); });
}

double ping_pong() {
  channel there(2), back(2);  // the smallest; one of the two places stays free
  auto echo = start([&] {
    for (int value : there) back.push(value);
    back.close();
  });
  double ns = 0;
  auto caller = start([&] {
    ns = cpu_ns_per(2 * rounds, [&] {
      int value = 0;
      repeat(rounds, [&] {
        there.push(value);
        back.pop(value);
      });
    });
    there.close();
  });
  caller.join();
  echo.join();
  return ns;
}

double channel_one_thread() {
  const auto run = [](std::size_t count) {
    channel through(128);
    auto taker = start([&] { take_all(through); });
    push_all(through, count);
    through.close();
    taker.join();
  };
  run(messages / 10);
  return cpu_ns_per(messages, [&] { run(messages); });
}

double channel_two_threads(std::size_t producers, std::size_t consumers) {
  const auto run = [&](std::size_t count) {
    channel through(128);
    std::thread takers([&] { together(consumers, [&] { take_all(through); }); });
    together(producers, [&] { push_all(through, count / producers); });
    through.close();
    takers.join();
  };
  run(messages / 10);
  return ns_per(messages, [&] { run(messages); });
}

}  // namespace weft::bench::boost_peer
