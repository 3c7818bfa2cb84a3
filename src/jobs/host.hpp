#pragma once

#include <cstdint>
#include <string>

namespace weft::inline v1::jobs {

/// Names the machine since its last start, and the set of process ids: equal for two processes that
/// can look at each other's pids.
std::string host_identity();

/// When that process started, in the kernel's ticks; 0 if there is no such process.
std::int64_t start_of_process(std::int64_t pid);

}  // namespace weft::inline v1::jobs
