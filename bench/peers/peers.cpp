#include "peers/peers.hpp"

#include <unistd.h>

#include <utility>

#include "support/child.hpp"

namespace weft::bench {
namespace {

/// Where the build put a peer. Throws unavailable if it did not.
std::string program(const std::string& name, const std::string& package) {
  std::string path = WEFT_BENCH_PEERS "/" + name;
  if (::access(path.c_str(), X_OK) == 0) return path;
  throw unavailable("not there, it needs Debian's " + package +
                    "; `./dev bench --with-peers` installs and builds it");
}

}  // namespace

measurement go_peer(std::string name, int threads) {
  return [name = std::move(name), setting = "GOMAXPROCS=" + std::to_string(threads)] {
    return number_from({program("weft_bench_go_peer", "golang-go"), name}, {setting});
  };
}

measurement boost_peer(std::string name) {
  return [name = std::move(name)] {
    return number_from({program("weft_bench_boost_peer", "libboost-fiber1.81-dev"), name});
  };
}

measurement npm_peer(std::string name, std::string figure, std::function<std::string()> connection,
                     int count) {
  return [=] {
    const std::string node = program("jobs/node_modules/.bin/node", "npm");
    return number_from(
        {node, WEFT_BENCH_PEERS "/jobs/" + name + ".mjs", figure, connection(), std::to_string(count)});
  };
}

}  // namespace weft::bench
