#include "process/reap.hpp"

#include <sys/wait.h>
#include <cerrno>

namespace weft::inline v1::process::detail {

namespace {

exit_status status_from(const siginfo_t& info) noexcept {
  switch (info.si_code) {
    case CLD_EXITED:
      return exit_status::exited(info.si_status);
    case CLD_KILLED:
      return exit_status::signaled(info.si_status);
    case CLD_DUMPED:
      return exit_status::signaled(info.si_status, true);
    default:
      return {};
  }
}

}  // namespace

std::optional<exit_status> try_reap(int pidfd) noexcept {
  constexpr auto by_pidfd = static_cast<idtype_t>(3);  // older C libraries have no name for it
  siginfo_t info{};
  const int done = ::waitid(by_pidfd, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG);
  if (done == 0 && info.si_pid == 0) return std::nullopt;
  if (done != 0 && errno == EINTR) return std::nullopt;
  return done == 0 ? status_from(info) : exit_status{};
}

}  // namespace weft::inline v1::process::detail
