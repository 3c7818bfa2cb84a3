#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <utility>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/process/child.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

#include "workers/authentication.hpp"
#include "workers/fork_server.hpp"
#include "workers/monitor.hpp"
#include "workers/refusal.hpp"
#include "workers/server_link.hpp"
#include "workers/status_report.hpp"

// How the fork server makes its children, and what those do first.

namespace weft::inline v1::workers::detail {

namespace {

// More clients are not told at a time what the server does.
constexpr std::size_t clerks_max = 4;
// For a client that does not read what it asked for. One that does not prove who it is is told so before.
constexpr unsigned clerk_seconds = 5;
static_assert(access_to_status.proves_within < std::chrono::seconds(clerk_seconds));

}  // namespace

bool fork_server::may_fork() const {
  return workers_.size() < options_.max_workers && !crashes_.is_pausing(steady_clock::now());
}

// False where there is none.
bool fork_server::fork_worker(order wanted) {
  worker_entry entry;
  process::pipe_ends errors;
  unique_fd link;
  try {
    errors = process::make_pipe();
    if (options_.listener != nullptr) std::tie(entry.link, link) = process::message_pair();
    entry.slot = board_.take();
  } catch (const error&) {
    failed_to_fork(wanted, EMFILE);
    return false;
  }
  entry.errors = captured_output(std::move(errors.reader));
  const pid_t pid = ::fork();
  if (pid == 0) become_worker(std::move(wanted), std::move(link), errors.writer.get(), entry.slot);
  if (pid < 0) {
    board_.give_back(entry.slot);
    failed_to_fork(wanted, errno);
    return false;
  }
  return started(pid, std::move(wanted), std::move(entry));
}

bool fork_server::started(pid_t pid, order wanted, worker_entry entry) {
  entry.pid = pid;
  // Not reaped yet, so the number is still its own.
  entry.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!entry.pidfd) {
    const int why = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    board_.give_back(entry.slot);
    failed_to_fork(wanted, why);
    return false;
  }
  crashes_.fork_succeeded();
  ++counts_.forked;
  entry.is_ready = wanted.is_ready;
  entry.monitor = std::move(wanted.monitor);
  if (options_.hello_within.count() > 0 && !wanted.is_ready)
    entry.heard_by = deadline_after(options_.hello_within);
  send_monitor(entry.monitor, {.what = monitor_message::kind::started, .pid = pid}, {entry.pidfd.get()});
  if (phase_ != phase::running && entry.link) send_finish(entry.link);
  worker_slot* const slot = entry.slot;
  try {
    workers_.add(std::move(entry));
    return true;
  } catch (const error&) {
    board_.give_back(slot);
    failed_to_fork({}, ENOMEM);
    return false;
  }
}

void fork_server::failed_to_fork(const order& wanted, int why) {
  send_monitor(wanted.monitor, {.what = monitor_message::kind::fork_failed, .error = why});
  if (options_.listener == nullptr) return;
  const std::string text = std::string("workers: fork a worker: ") + std::strerror(why) + "; try again later";
  say(text);
  crashes_.fork_failed(steady_clock::now());
  if (!wanted.client.connection) return;
  ++counts_.refused;
  refuse(wanted.client, text);
}

void fork_server::become_worker(order wanted, unique_fd link, int errors, worker_slot* slot) {
  process::die_with_parent(pid_);
  ::dup2(errors, STDERR_FILENO);
  process::reset_signals();
  process::close_descriptors_except(
      {wanted.client.connection.get(), wanted.hand_over.get(), link.get(), options_.keep_alive.get()});
  if (options_.listener != nullptr) ::setrlimit(RLIMIT_NOFILE, &former_files_);
  int status = EXIT_FAILURE;
  try {
    status = options_.worker({std::move(wanted.client), std::move(wanted.hand_over), std::move(link),
                              options_.keep_alive.get(), slot});
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "weft-worker %d: %s\n", static_cast<int>(::getpid()), failed.what());
  } catch (const unwinding& ended) {
    std::fprintf(stderr, "weft-worker %d: ended by %s\n", static_cast<int>(::getpid()), ended.what());
  }
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(status);
}

// A process of its own tells the figures: a client that does not read them holds nobody up.
void fork_server::serve_askers() {
  while (workers_.clerks() < clerks_max) {
    auto asker = line_.take_asker();
    if (!asker) return;
    const pid_t pid = ::fork();
    if (pid == 0) become_clerk(std::move(*asker));
    worker_entry clerk;
    clerk.pid = pid;
    clerk.pidfd.reset(pid < 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    try {
      if (clerk.pidfd) workers_.add(std::move(clerk));
    } catch (const error& failed) {
      say(failed.message());
    }
  }
}

void fork_server::become_clerk(unique_fd connection) {
  process::die_with_parent(pid_);
  process::reset_signals();
  ::alarm(clerk_seconds);
  process::set_title("weft-status");
  process::close_descriptors_except({connection.get()});
  try {
    answer_status(std::move(connection), options_.keys, figures());
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "weft-status %d: %s\n", static_cast<int>(::getpid()), failed.what());
  }
  ::_exit(EXIT_SUCCESS);
}

}  // namespace weft::inline v1::workers::detail
