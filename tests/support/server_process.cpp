#include "support/server_process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>

namespace weft_test {
namespace {

const passwd& entry_of(const std::string& user) {
  const passwd* const found = getpwnam(user.c_str());
  if (found == nullptr)
    throw weft::error(weft::errc::not_found, "start a server: there is no user \"" + user + "\"");
  return *found;
}

/// Of the child, which has nothing but what a fork leaves. `network` is a descriptor, or -1.
[[noreturn]] void become(const std::vector<char*>& command, const passwd* user, pid_t parent, int stop_signal,
                         int network) {
  const bool moved = network < 0 || setns(network, CLONE_NEWNET) == 0;
  const bool changed = moved && (user == nullptr || (setgroups(0, nullptr) == 0 &&
                                                     setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0));
  // After the change of the user, which would undo it.
  prctl(PR_SET_PDEATHSIG, stop_signal);
  if (changed && getppid() == parent) execv(command.front(), command.data());
  _exit(127);
}

weft::unique_fd network_of(const std::string& name) {
  if (name.empty()) return {};
  weft::unique_fd found(open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!found) throw weft::system_error("start a server: open the network " + name, errno);
  return found;
}

}  // namespace

bool is_root() noexcept { return geteuid() == 0; }

void give_to(const std::string& path, const std::string& user) {
  const passwd& to = entry_of(user);
  if (chown(path.c_str(), to.pw_uid, to.pw_gid) != 0) {
    throw weft::system_error("give " + path + " to " + user, errno);
  }
}

server_process::server_process(options how) : how_(std::move(how)) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw weft::system_error("start a server: a pipe", errno);
  std::vector<char*> command;
  for (const std::string& one : how_.command) command.push_back(const_cast<char*>(one.c_str()));
  command.push_back(nullptr);
  const passwd* const user = how_.user.empty() || !is_root() ? nullptr : &entry_of(how_.user);
  const weft::unique_fd network = network_of(how_.network);
  const pid_t parent = getpid();
  id_ = fork();
  if (id_ == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    become(command, user, parent, how_.stop_signal, network.get());
  }
  close(ends[1]);
  output_ = ends[0];
  if (id_ < 0) {
    close(output_);
    throw weft::system_error("start a server: fork", errno);
  }
  reader_ = std::thread([this] { read_output(); });
}

server_process::~server_process() {
  if (id_ > 0) {
    kill(id_, how_.stop_signal);
    wait();
  }
  reader_.join();
  close(output_);
}

int server_process::wait() {
  int status = 0;
  while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
  id_ = -1;
  return status;
}

void server_process::read_output() {
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t count = read(output_, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    const std::lock_guard lock(mutex_);
    if (count > 0) written_.append(piece.data(), static_cast<std::size_t>(count));
    has_ended_ = count <= 0;
    changed_.notify_all();
    if (has_ended_) return;
  }
}

std::string server_process::output() {
  const std::lock_guard lock(mutex_);
  return written_;
}

void server_process::wait_for_output(const std::string& text) {
  std::unique_lock lock(mutex_);
  const auto is_there = [&] { return written_.find(text) != std::string::npos; };
  changed_.wait(lock, [&] { return has_ended_ || is_there(); });
  if (is_there()) return;
  throw weft::error(weft::errc::unavailable,
                    "start " + how_.command.front() + ": it ended and said:\n" + written_);
}

}  // namespace weft_test
