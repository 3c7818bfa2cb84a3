#include <chrono>
#include <vector>

#include "peers/boost/peer.hpp"

namespace weft::bench::boost_peer {

double sleepers(int rounds) {
  constexpr std::size_t count = 100'000;
  double used = 0;
  for (; rounds > 0; --rounds) {
    const double before = cpu_seconds();
    std::vector<fibers::fiber> all;
    all.reserve(count);
    for (std::size_t n = 0; n < count; ++n) {
      const std::chrono::milliseconds time(1000 + n * 7919 % 1000);
      all.push_back(start([time] { boost::this_fiber::sleep_for(time); }));
    }
    for (auto& one : all) one.join();
    used = (cpu_seconds() - before) * 1e6 / static_cast<double>(count);
  }
  return used;
}

}  // namespace weft::bench::boost_peer
