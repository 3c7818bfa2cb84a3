#pragma once

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include <weft/core/unique_fd.hpp>
#include <weft/process/child.hpp>

namespace weft::test {

/// The signup program in a process group of its own, with its stdout in our hands.
class signup_process {
 public:
  explicit signup_process(std::vector<std::string> arguments);
  signup_process(const signup_process&) = delete;
  signup_process& operator=(const signup_process&) = delete;
  /// Kills what is left of the group.
  ~signup_process();

  /// The next line of its stdout, without the newline; empty at the end.
  std::string read_line();
  /// Everything up to the end of its stdout.
  std::string read_all();
  /// Sends SIGKILL to all of its processes at once.
  void kill_group();
  process::exit_status wait();
  /// Asks it to stop in order.
  void terminate() { child_.kill(SIGTERM); }
  /// Its processes with that word in their command line.
  std::vector<pid_t> processes_named(const std::string& word) const;

 private:
  bool fill();
  unique_fd out_;
  process::child child_;
  std::string buffer_;
};

/// A folder that goes away with the test.
class temporary_folder {
 public:
  temporary_folder();
  ~temporary_folder();
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace weft::test
