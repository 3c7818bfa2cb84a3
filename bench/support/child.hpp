#pragma once

#include <string>
#include <vector>

#include "support/figure.hpp"

namespace weft::bench {

/// Runs a program and gives the number that it prints. `settings` such as "GOMAXPROCS=1" are added to
/// its environment. Throws unavailable where it cannot be started, fails (with the last line of what
/// it said), or prints no number.
double number_from(const std::vector<std::string>& command, const std::vector<std::string>& settings = {});

/// The same for a text: the last line that it prints.
std::string text_from(const std::vector<std::string>& command, const std::vector<std::string>& settings = {});

/// A measurement that needs a process of its own, such as one of memory. Declared as figures are:
///     const add_probe parked{"parked_100k", [] { return bytes_per_fiber(); }};
struct add_probe {
  add_probe(std::string name, measurement run);
};

/// Each run is a process of this program that runs the probe of that name and nothing else.
measurement in_fresh_process(std::string name);

/// What such a process does; its exit status.
int run_probe(const std::string& name);

}  // namespace weft::bench
