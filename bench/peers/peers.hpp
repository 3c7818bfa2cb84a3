#pragma once

#include <functional>
#include <string>

#include "support/figure.hpp"

namespace weft::bench {

/// One run of the Go peer for the figure `name` on that many threads; unavailable without Go.
measurement go_peer(std::string name, int threads = 1);
/// One run of the Boost.Fiber peer; unavailable without Boost.
measurement boost_peer(std::string name);
/// One run of a job queue of npm (jobs/NAME.mjs) for a figure of jobs/measure.mjs, with so many jobs;
/// `connection` is asked for before each run. Unavailable where it is not installed.
measurement npm_peer(std::string name, std::string figure, std::function<std::string()> connection,
                     int count);

}  // namespace weft::bench
