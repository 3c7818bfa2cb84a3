#include "net/socket_io.hpp"

#include <csignal>
#include <ctime>
#include <string>

#include <weft/core/error.hpp>

namespace weft::inline v1::net::detail {
namespace {

using weft::detail::task_block;

std::string name_of(const task_block& task) {
  return "task " + std::to_string(task.id()) + " \"" + std::string(task.name()) + '"';
}

sigset_t pipe_only() noexcept {
  sigset_t made;
  sigemptyset(&made);
  sigaddset(&made, SIGPIPE);
  return made;
}

}  // namespace

void throw_io(const char* tried, int errno_value) {
  if (errno_value == EPIPE || errno_value == ECONNRESET) {
    throw error(errc::unavailable, std::string(tried) + ": the peer closed the connection");
  }
  throw system_error(tried, errno_value);
}

direction_guard::direction_guard(task_block*& user, const unique_fd& fd, const char* tried) : user_(user) {
  if (!fd) throw error(errc::closed, std::string(tried) + ": it is closed");
  task_block& here = task_block::current();
  if (user != nullptr) {
    throw error(errc::busy, std::string(tried) + " on descriptor " + std::to_string(fd.get()) + ": " +
                                name_of(here) + " would, while " + name_of(*user) +
                                " does; let one task read and one write");
  }
  user = &here;
}

void retry_or_throw(io_handle& io, bool reads, const char* tried) {
  if (errno == EINTR) return;
  if (!would_block(errno)) throw_io(tried, errno);
  if (reads) {
    io.mark_not_readable();
  } else {
    io.mark_not_writable();
  }
}

no_sigpipe::no_sigpipe() noexcept {
  const sigset_t signals = pipe_only();
  sigset_t pending;
  sigset_t former;
  sigpending(&pending);
  pthread_sigmask(SIG_BLOCK, &signals, &former);
  was_pending_ = sigismember(&pending, SIGPIPE) == 1;
  was_blocked_ = sigismember(&former, SIGPIPE) == 1;
}

no_sigpipe::~no_sigpipe() {
  const int errno_before = errno;
  const sigset_t signals = pipe_only();
  const timespec at_once{};
  if (!was_pending_) {
    while (sigtimedwait(&signals, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  if (!was_blocked_) pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  errno = errno_before;
}

}  // namespace weft::inline v1::net::detail
