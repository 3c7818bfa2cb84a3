#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/process/child.hpp>
#include <weft/process/exit_status.hpp>
#include <weft/process/limits.hpp>
#include <weft/process/pipe.hpp>

namespace weft::inline v1::process {

/// Where a standard stream of a program leads.
class stream_target {
 public:
  /// Where it leads in this process.
  static stream_target inherit() noexcept { return {kind::inherit, -1}; }
  /// /dev/null: nothing to read, and what is written is dropped.
  static stream_target null() noexcept { return {kind::null, -1}; }
  /// A pipe of which this process has the other end.
  static stream_target pipe() noexcept { return {kind::pipe, -1}; }
  /// For stderr: where stdout leads.
  static stream_target merged() noexcept { return {kind::merged, -1}; }
  /// A descriptor of this process, which stays the caller's.
  static stream_target descriptor(int fd) noexcept { return {kind::descriptor, fd}; }

  enum class kind : unsigned char { inherit, null, pipe, merged, descriptor };
  kind how() const noexcept { return how_; }
  int fd() const noexcept { return fd_; }

 private:
  stream_target(kind how, int fd) noexcept : how_(how), fd_(fd) {}
  kind how_;
  int fd_;
};

/// How a program runs.
struct program_options {
  stream_target in = stream_target::null();
  stream_target out = stream_target::pipe();
  stream_target err = stream_target::pipe();
  std::string directory = {};                 ///< where it works; empty: where this process does
  std::vector<std::string> environment = {};  ///< "NAME=value" added to, or in place of, the own environment
  bool clear_environment = false;             ///< it gets `environment` and nothing else
  bool pass_context = true;                   ///< finds trace and baggage of the task in its environment
  limits resource_limits = {};                ///< what it may use
  bool die_with_thread = false;               ///< as spawn_options::die_with_thread; not what it starts
  /// Between SIGTERM and SIGKILL, where it has to be ended.
  std::chrono::milliseconds grace = std::chrono::seconds(2);
};

/// The arguments that have a shell run `command`: {"/bin/sh", "-c", command}. Never put in there what
/// comes from outside: pass it as an argument ("$1") or without a shell.
std::vector<std::string> shell(std::string command);

/// A program that runs, with the pipes to it: for reading what it prints as it comes, or talking to it.
/// weft::exec runs one to its end and collects its output.
///
/// It leads a process group, with what it starts in there; kill(), terminate() and the destructor
/// mean all of them, as long as they stay in the group (a daemon leaves it). It has stdin, stdout and
/// stderr, and no other descriptor of this process. The destructor kills (SIGKILL) the group of one that
/// was not waited for, and reaps it. What of the group is alive after wait() is left alone. SIGCHLD must
/// not be ignored in this process: the system would then reap children, and give their numbers away.
///
/// Thread-safety: one task at a time, but a task for each pipe, and kill() from any.
class program {
 public:
  /// Starts `arguments.front()`, found in PATH where it has no slash. The thread sleeps until the
  /// program has been loaded. Throws weft::error: invalid_argument, and as child::spawn and find_program.
  explicit program(std::vector<std::string> arguments, program_options options = {});
  program(program&&) noexcept = default;
  program& operator=(program&&) = delete;
  ~program();

  pid_t pid() const noexcept { return child_.pid(); }
  /// Readable once the program has ended.
  int pidfd() const noexcept { return child_.pidfd(); }

  /// Its pipes. One that was asked for is there until it is closed; another is not open.
  pipe_writer& in() noexcept { return in_; }
  pipe_reader& out() noexcept { return out_; }
  pipe_reader& err() noexcept { return err_; }

  /// How it ended, if it has. Never waits.
  std::optional<exit_status> try_wait() { return child_.try_wait(); }
  /// Waits for its end. It may be waiting for this process: for its input to end, or its output to be read.
  /// A cancellation point, which leaves it running.
  exit_status wait() { return child_.wait(); }
  /// Nothing if it still ran at `until`.
  std::optional<exit_status> wait_until(steady_time until) { return child_.wait_until(until); }
  template <typename Rep, typename Period>
  std::optional<exit_status> wait_for(std::chrono::duration<Rep, Period> bound) {
    return wait_until(deadline_after(bound));
  }

  /// Sends a signal to the group; false when the program has been waited for.
  bool kill(int signal) noexcept;
  /// SIGTERM to the group; when the program has ended, or not within the grace, SIGKILL to what is left
  /// of it; reaps the program. Is not cancelled: it takes the grace at most, and the kernel's time to kill.
  exit_status terminate();

  /// What was started, for messages: the arguments, shortened.
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  std::chrono::milliseconds grace_;
  child child_;
  pipe_writer in_;
  pipe_reader out_;
  pipe_reader err_;
};

}  // namespace weft::inline v1::process
