#include <weft/process/restrictions.hpp>

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>

#include "process/call_filter.hpp"

namespace weft::inline v1::process {

namespace {

[[noreturn]] void refuse(const std::string& what) { throw system_error("process: set " + what, errno); }

void set_oom_score_adj(int value) {
  const std::string text = std::to_string(value);
  const unique_fd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    refuse("oom_score_adj to " + text);
  }
}

}  // namespace

void apply(const restrictions& wanted) {
  if (wanted.niceness && ::setpriority(PRIO_PROCESS, 0, *wanted.niceness) != 0) {
    refuse("niceness to " + std::to_string(*wanted.niceness));
  }
  if (wanted.oom_score_adj) set_oom_score_adj(*wanted.oom_score_adj);
  const bool filters = wanted.calls != system_calls::all;
  if ((wanted.no_new_privileges || filters) && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    refuse("no_new_privileges");
  }
  if (filters && !detail::filter_calls(wanted.calls)) refuse("the set of allowed system calls");
}

}  // namespace weft::inline v1::process
