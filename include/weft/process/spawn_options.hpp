#pragma once

#include <string>
#include <vector>

#include <weft/process/limits.hpp>

namespace weft::inline v1::process {

/// A descriptor that a spawned program finds under a number of the parent's choice.
struct inherited_descriptor {
  int here = -1;   ///< open in this process
  int there = -1;  ///< its number in the program, 0 or more
};

/// A program to spawn.
struct spawn_options {
  std::string program = {};  ///< path; a relative one starts at `directory`; PATH: find_program
  std::vector<std::string> arguments = {};    ///< argv, argv[0] included; empty: the path alone
  std::vector<std::string> environment = {};  ///< "NAME=value" added to, or in place of, the own environment
  std::vector<inherited_descriptor> descriptors = {};  ///< beside 0, 1 and 2; all others are closed
  bool own_group = false;  ///< leads a process group: an interrupt from the terminal does not reach it
  bool clear_environment = false;  ///< it gets `environment` and nothing else
  bool pass_context = true;        ///< finds trace and baggage of the spawning task in its environment
  std::string directory = {};      ///< where it works; empty: where this process does
  limits resource_limits = {};     ///< what it may use
  /// SIGKILL when the thread that starts it ends, so also with this process, however that ends. For threads
  /// that last as long as the process; not for programs with other privileges (setuid).
  bool die_with_thread = false;
};

}  // namespace weft::inline v1::process
