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
  throw unavailable("not built, Debian's " + package +
                    " was not there; `./dev bench --with-peers` installs and builds it");
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

}  // namespace weft::bench
