#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::inline v1::jobs {

/// Names the machine since its last start, and the set of process ids: equal for two processes that
/// can look at each other's pids.
std::string host_identity();

/// When that process started, in the kernel's ticks; 0 if there is no such process, or it is not shown.
std::int64_t start_of_process(std::int64_t pid);

/// What can be known of a process of this host.
enum class process_life {
  lives,
  ended,
  unknown,  ///< there is one of that pid, and the kernel does not show it (hidepid, ProtectProc=)
};

/// Of the process with that pid which began at `started`, as start_of_process told.
process_life life_of_process(std::int64_t pid, std::int64_t started);

/// The same from what the kernel tells: the text of /proc/PID/stat, empty where it cannot be read, and
/// whether there is a process of that pid.
process_life life_by(std::string_view stat, bool is_there, std::int64_t started);

}  // namespace weft::inline v1::jobs
