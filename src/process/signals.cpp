#include <weft/process/signals.hpp>

#include <sys/signalfd.h>
#include <unistd.h>
#include <cerrno>

#include <weft/core/error.hpp>
#include <weft/fiber/io_handle.hpp>

namespace weft::process {

signal_watch::signal_watch(std::initializer_list<int> signals) {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int one : signals) sigaddset(&watched, one);
  fd_ = unique_fd(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) throw system_error("watch signals (signalfd)", errno);
  pthread_sigmask(SIG_BLOCK, &watched, &former_);
}

signal_watch::~signal_watch() { pthread_sigmask(SIG_SETMASK, &former_, nullptr); }

int signal_watch::wait() {
  signalfd_siginfo info{};
  for (;;) {
    const auto got = ::read(fd_.get(), &info, sizeof info);
    if (got == static_cast<ssize_t>(sizeof info)) return static_cast<int>(info.ssi_signo);
    if (got < 0 && errno != EAGAIN && errno != EINTR) throw system_error("wait for a signal", errno);
    wait_readable(fd_.get());
  }
}

}  // namespace weft::process
