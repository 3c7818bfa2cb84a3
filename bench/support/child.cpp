#include "support/child.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

namespace weft::bench {
namespace {

[[noreturn]] void become(const std::vector<std::string>& command, const std::vector<std::string>& settings,
                         int out) {
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  for (const std::string& one : settings) ::putenv(const_cast<char*>(one.c_str()));
  std::vector<char*> arguments;
  for (const std::string& one : command) arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::dprintf(STDERR_FILENO, "cannot be started: %s\n", std::strerror(errno));
  ::_exit(127);
}

std::string read_all(int fd) {
  std::string text;
  char part[4096];
  for (;;) {
    const ssize_t got = ::read(fd, part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(part, static_cast<std::size_t>(got));
  }
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

std::string end_text(int status) {
  return WIFSIGNALED(status) ? "killed by signal " + std::to_string(WTERMSIG(status))
                             : "exit status " + std::to_string(WEXITSTATUS(status));
}

std::string name_of(const std::vector<std::string>& command) {
  return command.front().substr(command.front().rfind('/') + 1);
}

double number_in(const std::string& program, const std::string& line) {
  char* end = nullptr;
  const double number = std::strtod(line.c_str(), &end);
  if (line.empty() || *end != '\0') throw unavailable(program + " printed no number but '" + line + "'");
  return number;
}

std::map<std::string, measurement>& probes() {
  static std::map<std::string, measurement> all;
  return all;
}

}  // namespace

std::string text_from(const std::vector<std::string>& command, const std::vector<std::string>& settings) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) throw unavailable(std::string("no pipe: ") + std::strerror(errno));
  const pid_t child = ::fork();
  if (child == 0) become(command, settings, pipe[1]);
  ::close(pipe[1]);
  const std::string text = read_all(pipe[0]);
  ::close(pipe[0]);
  if (child < 0) throw unavailable(std::string("no process: ") + std::strerror(errno));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string program = name_of(command);
  if (status != 0) throw unavailable(program + ": " + end_text(status) + ": " + last_line(text));
  return last_line(text);
}

double number_from(const std::vector<std::string>& command, const std::vector<std::string>& settings) {
  return number_in(name_of(command), text_from(command, settings));
}

add_probe::add_probe(std::string name, measurement run) { probes()[std::move(name)] = std::move(run); }

measurement in_fresh_process(std::string name) {
  return [name = std::move(name)] { return number_from({"/proc/self/exe", "--probe", name}); };
}

int run_probe(const std::string& name) {
  const auto found = probes().find(name);
  if (found == probes().end()) {
    std::fprintf(stderr, "there is no probe '%s'\n", name.c_str());
    return 2;
  }
  try {
    std::printf("%.9g\n", found->second());
    return 0;
  } catch (const std::exception& why) {
    std::fprintf(stderr, "%s\n", why.what());
    return 1;
  }
}

}  // namespace weft::bench
