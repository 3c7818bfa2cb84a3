#include <weft/process/exit_status.hpp>

#include <csignal>
#include <cstring>

namespace weft::inline v1::process {

std::string signal_name(int signal) {
  if (const char* const name = ::sigabbrev_np(signal)) return std::string("SIG") + name;
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) return "SIGRTMIN+" + std::to_string(signal - SIGRTMIN);
  return "signal " + std::to_string(signal);
}

std::string to_string(const exit_status& status) {
  switch (status.how) {
    case exit_status::kind::exited:
      return "exit status " + std::to_string(status.value);
    case exit_status::kind::signaled:
      return "killed by " + signal_name(status.value) + (status.core_dumped ? " (core dumped)" : "");
    case exit_status::kind::unknown:
      break;
  }
  return "unknown end";
}

}  // namespace weft::inline v1::process
