#pragma once

#include <optional>

namespace weft::inline v1::process {

/// Which system calls a process may make. For code that is trusted to be buggy rather than hostile: it is no
/// sandbox against one that tries to get out through other processes of the same user.
enum class system_calls : unsigned char {
  all,                 ///< as inherited
  no_exec,             ///< no program is started: execve and execveat fail with EPERM
  no_network,          ///< sockets of the Unix kind only: others fail with EACCES; those that are open go on
  no_exec_no_network,  ///< both
};

/// What a process may do beside its limits. Nothing can be taken back.
///
/// A set of system calls other than `all` also forbids ways around it (io_uring, ptrace, reading and writing
/// the memory or taking the descriptors of other processes: EPERM), and implies no_new_privileges. System
/// calls of another architecture end the process. It needs Linux on x86-64 or arm64.
struct restrictions {
  std::optional<int> niceness =
      {};  ///< -20 to 19, absent: as inherited; less than inherited needs a privilege
  std::optional<int> oom_score_adj =
      {};  ///< -1000 to 1000: who goes first when memory runs out; absent: as inherited
  bool no_new_privileges = false;          ///< programs it starts get none either, e.g. by setuid files
  system_calls calls = system_calls::all;  ///< system calls it may make, and its children

  bool operator==(const restrictions&) const = default;
};

/// Applies them to this process, or rather to the calling thread and what it starts: for a process with one
/// thread. Throws weft::error that names what the system refused.
void apply(const restrictions& wanted);

}  // namespace weft::inline v1::process
