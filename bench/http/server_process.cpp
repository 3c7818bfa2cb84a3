#include "http/server_process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "support/figure.hpp"

namespace weft::bench {
namespace {

void pin_to(int first, int last) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int core = first; core <= last; ++core) CPU_SET(core, &set);
  ::sched_setaffinity(0, sizeof set, &set);  // only a wish
}

/// The first line that `fd` gives, as a number; 0 if there is none.
int read_number(int fd) {
  std::string line;
  char one = 0;
  while (::read(fd, &one, 1) == 1 && one != '\n') line += one;
  return std::atoi(line.c_str());
}

[[noreturn]] void become(const std::vector<std::string>& command, int in, int out) {
  pin_to(0, 0);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& one : command) arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

server_process::server_process(const std::string& kind, const std::vector<std::string>& under) {
  std::vector<std::string> command = under;
  command.insert(command.end(), {WEFT_BENCH_HTTP_SERVER, kind});
  int to_server[2];
  int from_server[2];
  if (::pipe2(to_server, O_CLOEXEC) != 0 || ::pipe2(from_server, O_CLOEXEC) != 0)
    throw unavailable("no pipe");
  pid_ = ::fork();
  if (pid_ == 0) become(command, to_server[0], from_server[1]);
  ::close(to_server[0]);
  ::close(from_server[1]);
  stdin_ = to_server[1];
  port_ = read_number(from_server[0]);
  ::close(from_server[0]);
  if (pid_ < 0 || port_ == 0) {
    end();
    throw unavailable("cannot start " + command.front());
  }
}

double cpu_seconds_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/schedstat");
  double nanoseconds = 0;
  if (!(file >> nanoseconds)) throw unavailable("no /proc/PID/schedstat");
  return nanoseconds / 1e9;
}

void server_process::end() noexcept {
  if (stdin_ >= 0) ::close(stdin_);
  stdin_ = -1;
  if (pid_ <= 0) return;
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void leave_the_first_core() {
  const auto cores = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  if (cores > 1) pin_to(1, cores - 1);
}

}  // namespace weft::bench
