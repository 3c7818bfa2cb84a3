#include <weft/process/child.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/process/self.hpp>

#include "process/reap.hpp"

namespace weft::inline v1::process {

namespace {

// Older C libraries have no names for these.
constexpr auto wait_by_pidfd = static_cast<idtype_t>(3);

int open_pidfd(pid_t pid) noexcept { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

constexpr int status_of_escaped_exception = 70;  // EX_SOFTWARE

[[noreturn]] void run_and_exit(unique_function<int()>& body) noexcept {
  int status = status_of_escaped_exception;
  try {
    status = body();
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "process %d: ended by an exception: %s\n", static_cast<int>(::getpid()),
                 thrown.what());
  } catch (const exit_exception& left) {
    status = left.status_code();
  } catch (const unwinding& thrown) {
    std::fprintf(stderr, "process %d: ended by %s\n", static_cast<int>(::getpid()), thrown.what());
  } catch (...) {
    std::fprintf(stderr, "process %d: ended by an unknown exception\n", static_cast<int>(::getpid()));
  }
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(status);
}

void require_single_thread() {
  const auto names = thread_names();
  if (names.size() == 1) return;
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  throw error(errc::misuse,
              "process: fork: this process has " + std::to_string(names.size()) + " threads (" + list +
                  "), whose locks would stay locked in the child; fork before they start, or spawn "
                  "a program instead");
}

}  // namespace

bool send_signal(int pidfd, int signal) noexcept {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0;
}

child& child::operator=(child&& other) noexcept {
  if (this != &other) {
    end_now();
    pid_ = other.pid_;
    pidfd_ = std::move(other.pidfd_);
    status_ = other.status_;
  }
  return *this;
}

child::~child() { end_now(); }

void child::end_now() noexcept {
  if (!pidfd_ || status_) return;
  send_signal(pidfd_.get(), SIGKILL);
  siginfo_t info{};
  while (::waitid(wait_by_pidfd, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0 && errno == EINTR) {
  }
}

// The child is ours and not reaped, so its number cannot be another's yet.
child child::adopt(pid_t pid) {
  unique_fd pidfd(open_pidfd(pid));
  if (!pidfd) {
    const int why = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw system_error("process: pidfd_open of child " + std::to_string(pid), why);
  }
  return child(pid, std::move(pidfd));
}

child child::fork(unique_function<int()> body) {
  require_single_thread();
  // What is buffered would be written by both otherwise.
  std::fflush(stdout);
  std::fflush(stderr);
  const pid_t pid = ::fork();
  if (pid == 0) run_and_exit(body);
  if (pid < 0) {
    throw error(errc::resource_exhausted, std::string("process: fork: ") + std::strerror(errno) +
                                              "; raise the limit of processes (ulimit -u) or free memory");
  }
  return adopt(pid);
}

std::optional<exit_status> child::try_wait() {
  if (status_ || !pidfd_) return status_;
  status_ = detail::try_reap(pidfd_.get());
  return status_;
}

exit_status child::wait() { return *wait_until(no_deadline); }

std::optional<exit_status> child::wait_until(steady_time until) {
  if (!pidfd_ && !status_) throw error(errc::misuse, "process: wait: no child");
  while (true) {
    if (const auto status = try_wait()) return status;
    if (!weft::wait_readable_until(pidfd_.get(), until)) return try_wait();
  }
}

bool child::kill(int signal) noexcept { return pidfd_ && !status_ && send_signal(pidfd_.get(), signal); }

exit_status child::terminate(std::chrono::milliseconds grace) {
  kill(SIGTERM);
  if (const auto status = wait_for(grace)) return *status;
  kill(SIGKILL);
  return wait();
}

void child::detach() noexcept {
  pidfd_.reset();
  pid_ = -1;
  status_.reset();
}

}  // namespace weft::inline v1::process
