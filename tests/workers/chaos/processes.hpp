#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace weft_test {

/// A process as /proc shows it.
struct process_entry {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = '?';  ///< 'Z': ended, and nobody has looked at that yet
  std::string name;
};

/// The children of this process and theirs.
std::vector<process_entry> descendants();
std::string to_string(const std::vector<process_entry>& all);

/// How many descriptors a process has open.
std::size_t descriptor_count(pid_t pid);

/// Has processes whose parent died become children of this one, where descendants() shows them.
void adopt_orphans();

}  // namespace weft_test
