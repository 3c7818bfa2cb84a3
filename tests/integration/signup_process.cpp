#include "integration/signup_process.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <weft/core/error.hpp>

namespace weft::test {
namespace {

struct output_pipe {
  output_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("pipe", errno);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  unique_fd read;
  unique_fd write;
};

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

signup_process::signup_process(std::vector<std::string> arguments) {
  output_pipe out;
  // setsid makes it the leader of a session and a process group, and becomes it.
  arguments.insert(arguments.begin(), {"setsid", WEFT_SIGNUP_PROGRAM});
  child_ = process::child::spawn({.program = "/usr/bin/setsid",
                                  .arguments = std::move(arguments),
                                  .descriptors = {{.here = out.write.get(), .there = 1}}});
  out_ = std::move(out.read);
}

signup_process::~signup_process() { kill_group(); }

bool signup_process::fill() {
  char bytes[4096];
  for (;;) {
    const auto got = ::read(out_.get(), bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
}

std::string signup_process::read_line() {
  for (;;) {
    const auto end = buffer_.find('\n');
    if (end != buffer_.npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    if (!fill()) return std::exchange(buffer_, {});
  }
}

std::string signup_process::read_all() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

void signup_process::kill_group() {
  if (child_ && child_.pid() > 0) ::kill(-child_.pid(), SIGKILL);
}

process::exit_status signup_process::wait() { return child_.wait(); }

std::vector<pid_t> signup_process::processes_named(const std::string& word) const {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || ::getsid(pid) != child_.pid()) continue;
    if (text_of(entry.path() / "cmdline").find(word) != std::string::npos) found.push_back(pid);
  }
  return found;
}

temporary_folder::temporary_folder() {
  std::string name = std::filesystem::temp_directory_path() / "weft-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw system_error("make a temporary folder", errno);
  path_ = name;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace weft::test
