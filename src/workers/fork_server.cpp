#include "workers/fork_server.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/core/unwinding.hpp>
#include <weft/process/child.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

namespace weft::workers::detail {

namespace {

// How long a worker that nobody needs may take to notice.
constexpr auto leave_grace = std::chrono::seconds(1);
// Between the polite signal and the other one.
constexpr auto kill_grace = std::chrono::milliseconds(100);

void send_monitor(const unique_fd& monitor, const monitor_message& what,
                  const std::vector<int>& descriptors = {}, std::string_view text = {}) {
  if (!monitor) return;
  std::string bytes(reinterpret_cast<const char*>(&what), sizeof what);
  bytes += text;
  process::send_with_descriptors(monitor.get(), bytes, descriptors);
}

process::exit_status status_of(const unique_fd& pidfd) {
  siginfo_t info{};
  int done = -1;
  do done = ::waitid(static_cast<idtype_t>(3), static_cast<id_t>(pidfd.get()), &info, WEXITED);
  while (done != 0 && errno == EINTR);
  if (done != 0) return {};
  if (info.si_code == CLD_EXITED) return process::exit_status::exited(info.si_status);
  return process::exit_status::signaled(info.si_status, info.si_code == CLD_DUMPED);
}

bool is_allowed(int connection, const std::vector<uid_t>& allowed) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0 ||
         std::find(allowed.begin(), allowed.end(), peer.uid) != allowed.end();
}

// A client of the older protocol cannot learn it, so it is told here.
void tell_of_end(pid_t pid, const process::exit_status& status) {
  if (!status.is_signaled() || status.value == SIGTERM) return;
  const bool hung = status.value == SIGALRM;
  std::fprintf(stderr, "weft-server %d: worker %d ended: %s%s\n", static_cast<int>(::getpid()),
               static_cast<int>(pid), to_string(status).c_str(),
               hung ? ", a call took longer than hung_worker_timeout" : "");
}

}  // namespace

fork_server::fork_server(fork_server_options options) : options_(std::move(options)), pid_(::getpid()) {}

fork_server::~fork_server() = default;

int fork_server::run() {
  // A client that went away shows as an error of a send.
  std::signal(SIGPIPE, SIG_IGN);
  process::set_title("weft-server" + (options_.name.empty() ? "" : ":" + options_.name));
  while (!ending_) {
    poll_once();
    kill_overdue();
  }
  end_all();
  return 0;
}

int fork_server::poll_timeout_ms() const {
  auto next = no_deadline;
  for (const auto& one : workers_) next = std::min(next, one.kill_at);
  if (next == no_deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - steady_clock::now()).count();
  return static_cast<int>(std::max<long long>(left, 0));
}

void fork_server::poll_once() {
  // The kernel passes over -1.
  std::vector<pollfd> all{{options_.control.get(), POLLIN, 0},
                          {options_.keep_alive.get(), POLLIN, 0},
                          {workers_.size() < options_.workers_max ? options_.listener.get() : -1, POLLIN, 0},
                          {options_.stop_signals.get(), POLLIN, 0}};
  const std::size_t first = all.size();
  const std::size_t count = workers_.size();
  for (const auto& one : workers_) {
    all.push_back({one.pidfd.get(), POLLIN, 0});
    all.push_back({one.monitor.get(), 0, 0});  // its end shows as POLLHUP
    all.push_back({one.errors.fd(), POLLIN, 0});
  }
  if (::poll(all.data(), all.size(), poll_timeout_ms()) <= 0) return;
  for (std::size_t i = 0; i < count; ++i) {
    const pollfd* const seen = &all[first + 3 * i];
    if (seen[2].revents != 0) workers_[i].errors.take_all();
    if (seen[0].revents != 0) {
      reap(workers_[i]);
    } else if (seen[1].revents != 0) {
      monitor_closed(workers_[i]);
    }
  }
  std::erase_if(workers_, [](const worker_entry& one) { return !one.pidfd; });
  if (all[1].revents != 0 || all[3].revents != 0) ending_ = true;
  if (all[0].revents != 0) serve_control();
  if (all[2].revents != 0) accept_client();
}

void fork_server::serve_control() {
  char byte;
  std::vector<unique_fd> received;
  const long got = process::receive_with_descriptors(options_.control.get(), &byte, 1, received);
  if (got <= 0) {
    ending_ = true;
  } else if (received.size() == 2) {
    start_worker(std::move(received[0]), std::move(received[1]), unique_fd());
  }
}

void fork_server::accept_client() {
  unique_fd connection(::accept4(options_.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection) {
    // Out of descriptors or memory: the client stays in the backlog; not at full speed.
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) ::poll(nullptr, 0, 50);
    return;
  }
  try {
    if (!options_.checks_users) {
      const int on = 1;
      ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      start_worker(std::move(connection), unique_fd(), unique_fd());
    } else if (is_allowed(connection.get(), options_.allowed_users)) {
      auto [here, there] = process::message_pair();
      start_worker(std::move(connection), std::move(here), std::move(there));
    }
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "weft-server %d: %s\n", static_cast<int>(pid_), failed.what());
  }
}

void fork_server::start_worker(unique_fd connection, unique_fd monitor, unique_fd hand_over) {
  process::pipe_ends errors;
  try {
    errors = process::make_pipe();
  } catch (const std::exception&) {
    send_monitor(monitor, {.what = monitor_message::kind::fork_failed, .error = EMFILE});
    return;
  }
  const pid_t pid = ::fork();
  if (pid == 0) become_worker(std::move(connection), std::move(hand_over), errors.writer.get());
  if (pid < 0) {
    send_monitor(monitor, {.what = monitor_message::kind::fork_failed, .error = errno});
    return;
  }
  // Not reaped yet, so the number is still its own.
  unique_fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    send_monitor(monitor, {.what = monitor_message::kind::fork_failed, .error = errno});
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return;
  }
  send_monitor(monitor, {.what = monitor_message::kind::started, .pid = pid}, {pidfd.get()});
  workers_.push_back({pid, std::move(pidfd), std::move(monitor), captured_output(std::move(errors.reader))});
}

void fork_server::become_worker(unique_fd connection, unique_fd hand_over, int errors) {
  process::die_with_parent(pid_);
  ::dup2(errors, STDERR_FILENO);
  process::reset_signals();
  process::close_descriptors_except({connection.get(), hand_over.get(), options_.keep_alive.get()});
  int status = EXIT_FAILURE;
  try {
    status = options_.worker({std::move(connection), std::move(hand_over), options_.keep_alive.get()});
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "weft-worker %d: %s\n", static_cast<int>(::getpid()), failed.what());
  } catch (const unwinding& ended) {
    std::fprintf(stderr, "weft-worker %d: ended by %s\n", static_cast<int>(::getpid()), ended.what());
  }
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(status);
}

void fork_server::reap(worker_entry& entry) {
  const auto status = status_of(entry.pidfd);
  entry.errors.take_all();
  if (options_.listener) tell_of_end(entry.pid, status);
  const monitor_message ended{.what = monitor_message::kind::ended, .pid = entry.pid, .status = status};
  send_monitor(entry.monitor, ended, {}, entry.errors.tail());
  entry.monitor.reset();
  entry.pidfd.reset();
}

void fork_server::monitor_closed(worker_entry& entry) {
  entry.monitor.reset();
  entry.kill_at = steady_clock::now() + leave_grace;
}

void fork_server::kill_overdue() {
  const auto now = steady_clock::now();
  for (auto& one : workers_) {
    if (one.kill_at > now) continue;
    process::send_signal(one.pidfd.get(), one.asked_to_end ? SIGKILL : SIGTERM);
    one.kill_at = one.asked_to_end ? no_deadline : now + kill_grace;
    one.asked_to_end = true;
  }
}

// Workers would be killed by the end of this process as well; so they are gone before it.
void fork_server::end_all() {
  for (auto& one : workers_) process::send_signal(one.pidfd.get(), SIGTERM);
  const auto until = steady_clock::now() + kill_grace;
  for (auto& one : workers_) {
    pollfd ended{one.pidfd.get(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (::poll(&ended, 1, static_cast<int>(std::max<long long>(left, 0))) <= 0) {
      process::send_signal(one.pidfd.get(), SIGKILL);
    }
    reap(one);
  }
}

}  // namespace weft::workers::detail
