#pragma once

#include <string>

#include <sys/types.h>

namespace weft::inline v1::process {

/// How a process ended. Plain data.
struct exit_status {
  enum class kind : unsigned char {
    unknown,   ///< nobody could tell, for example because another reaped it
    exited,    ///< it returned or called exit; `value` is the status, 0 to 255
    signaled,  ///< a signal ended it; `value` is its number
  };

  kind how = kind::unknown;
  int value = 0;
  bool core_dumped = false;

  static exit_status exited(int code) noexcept { return {kind::exited, code, false}; }
  static exit_status signaled(int signal, bool core = false) noexcept {
    return {kind::signaled, signal, core};
  }

  bool is_exited() const noexcept { return how == kind::exited; }
  bool is_signaled() const noexcept { return how == kind::signaled; }
  bool operator==(const exit_status&) const = default;
};

/// "SIGSEGV"; "signal 99" where the system has no name for it.
std::string signal_name(int signal);

/// "exit status 3", "killed by SIGSEGV (core dumped)", "unknown end".
std::string to_string(const exit_status& status);

}  // namespace weft::inline v1::process
