#pragma once

#include <string>

#include "support/figure.hpp"

namespace weft::bench {

/// One run of the Go peer for the figure `name` on that many threads; unavailable without Go.
measurement go_peer(std::string name, int threads = 1);
/// One run of the Boost.Fiber peer; unavailable without Boost.
measurement boost_peer(std::string name);

}  // namespace weft::bench
