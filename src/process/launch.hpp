#pragma once

#include <cstddef>
#include <vector>

#include <sys/resource.h>
#include <sys/types.h>

#include <weft/core/unique_fd.hpp>
#include <weft/process/spawn_options.hpp>

// Starting a program without a copy of this process. The new process shares our memory until it
// executes the program, while the thread that made it sleeps (as vfork; so does posix_spawn, which
// cannot set limits, nor tell which step failed). Hence the rules for what runs there: no allocation, no
// lock, no function that a sanitizer or the C library watches, nothing that must be undone: system calls
// only, on what was prepared before. All signals are blocked until their handlers are gone, so that no
// handler of ours runs in it.

namespace weft::inline v1::process::detail {

struct resource_limit {
  int resource;
  rlimit value;
};

/// What the new process does before it is the program. All pointers outlive launch().
struct launch_plan {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* directory;                                 // null: stays where it is
  const std::vector<inherited_descriptor>* descriptors;  // all others from 3 on are closed
  std::vector<int> copies;                               // room for one for each descriptor
  std::vector<resource_limit> limits;
  bool own_group;
  pid_t dies_with;  // this process, whose thread it dies with; 0: none
};

/// Where it came to an end, if it did.
enum class launch_step : unsigned char { done, make, descriptors, limits, directory, program };

struct launched {
  pid_t pid = -1;
  unique_fd pidfd = {};
  launch_step failed = launch_step::done;
  int why = 0;            // errno
  std::size_t which = 0;  // the descriptor, or the limit
};

/// Starts it. A process that failed before it was the program is gone when this returns.
launched launch(launch_plan& plan);

}  // namespace weft::inline v1::process::detail
