#include <boost/context/protected_fixedsize_stack.hpp>
#include <new>
#include <vector>

#include "peers/boost/peer.hpp"
#include "support/process_figures.hpp"

namespace weft::bench::boost_peer {

double parked_bytes(std::size_t count) {
  gate waits;
  std::size_t waiting = 0;
  std::vector<fibers::fiber> all;
  all.reserve(count);
  const double before = resident_bytes();
  repeat(count, [&] {
    all.push_back(start([&] {
      ++waiting;
      waits.wait();
    }));
  });
  while (waiting < count) boost::this_fiber::yield();
  const double bytes = (resident_bytes() - before) / static_cast<double>(count);
  waits.open();
  for (auto& one : all) one.join();
  return bytes;
}

double guarded_fibers() {
  constexpr std::size_t most = 1'000'000;
  boost::context::protected_fixedsize_stack guarded(stack_bytes);
  gate waits;
  std::vector<fibers::fiber> all;
  try {
    while (all.size() < most) all.emplace_back(std::allocator_arg, guarded, [&] { waits.wait(); });
  } catch (const std::bad_alloc&) {  // no mapping left
    for (int n = 0; n < 10 && !all.empty(); ++n) {
      all.back().detach();  // vm.max_map_count is reached; the rest of the program needs some too
      all.pop_back();
    }
  }
  const auto reached = static_cast<double>(all.size());
  waits.open();
  for (auto& one : all) one.join();
  return reached;
}

}  // namespace weft::bench::boost_peer
