// `weft_bench_boost_peer NAME` measures one figure with Boost.Fiber and prints it in the unit of its row.

#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <string>

#include "peers/boost/peer.hpp"

namespace {

using namespace weft::bench;

const std::map<std::string, std::function<double()>> figures{
    {"fcontext_switch", boost_peer::fcontext_switch},
    {"spawn_join", boost_peer::spawn_and_join},
    {"spawn_wait_warm", boost_peer::spawn_that_waits_warm},
    {"spawn_wait_cold", boost_peer::spawn_that_waits_cold},
    {"yield_2", [] { return boost_peer::yield_between(2); }},
    {"yield_1000", [] { return boost_peer::yield_between(1000); }},
    {"ping_pong", boost_peer::ping_pong},
    {"channel_128", boost_peer::channel_one_thread},
    {"channel_128_threads", [] { return boost_peer::channel_two_threads(1, 1); }},
    {"channel_4p4c", [] { return boost_peer::channel_two_threads(4, 4); }},
    {"mutex", boost_peer::uncontended_mutex},
    {"mutex_yield", boost_peer::mutex_across_yield},
    {"mutex_contended", boost_peer::contended_mutex},
    {"parked_100k", [] { return boost_peer::parked_bytes(100'000); }},
    {"guarded_fibers", boost_peer::guarded_fibers},
    {"sleepers_cold", [] { return boost_peer::sleepers(1); }},
    {"sleepers_warm", [] { return boost_peer::sleepers(2); }},
    {"skynet", boost_peer::skynet_milliseconds},
    {"fib", boost_peer::fib_per_task},
};

}  // namespace

int main(int argc, char** argv) {
  const auto found = argc == 2 ? figures.find(argv[1]) : figures.end();
  if (found == figures.end()) {
    std::fputs("usage: weft_bench_boost_peer NAME; the names are in main.cpp\n", stderr);
    return 2;
  }
  try {
    std::printf("%.9g\n", found->second());
    return 0;
  } catch (const std::exception& why) {
    std::fprintf(stderr, "%s\n", why.what());
    return 1;
  }
}
