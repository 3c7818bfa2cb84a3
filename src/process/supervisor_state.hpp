#pragma once

#include <poll.h>
#include <sys/types.h>
#include <csignal>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/process/child.hpp>
#include <weft/process/crash_watch.hpp>
#include <weft/process/successor.hpp>
#include <weft/process/supervisor.hpp>

namespace weft::inline v1::process::detail {

/// The loop of a supervisor: one thread, which waits in poll() only.
///
/// A process is starting until it says that it is ready, then serving, and leaving from when it was told to.
/// Of a number there is one at most that serves, one at most that starts, and any that leave. One that serves
/// is told to leave when the one that starts in its place is ready. A number that is to be renewed waits for
/// its turn: so many processes more than asked for there never are.
class supervisor_state {
 public:
  supervisor_state(supervisor_options options, std::function<int(std::size_t, unique_fd)> body);

  int run();

 private:
  enum class stage : unsigned char { starting, serving, leaving };
  struct entry {
    std::size_t number = 0;
    stage now = stage::starting;
    child process = {};
    unique_fd line = {};
    steady_time ends_by = no_deadline;  // starting: is ready; leaving: has ended
    bool was_killed = false;
    bool misses_messages = false;         // and that was said
    std::deque<std::string> unsent = {};  // the line is full
    std::size_t unsent_bytes = 0;
  };
  using place = std::list<entry>::iterator;

  entry* find(std::size_t number, stage which) noexcept;
  bool has_any(stage which) const noexcept;

  void start_missing(steady_time now);
  void renew_next();
  bool start(std::size_t number);
  [[nodiscard]] int begin_child(std::size_t number, unique_fd line);

  void wait(steady_time until);
  steady_time next_time(steady_time now) const noexcept;
  void take_signals();
  void take_words(entry& from);
  void became_ready(entry& one);
  void tell_predecessor() noexcept;
  void reload();
  void successor_spoke();
  void drop_successor();
  void tell_others(const entry& from, const std::string& frame);
  void send(entry& to, std::string frame);
  void send_unsent(entry& to);
  void kill_overdue(steady_time now);
  void reap_ended();
  void ended_by_itself(const entry& one, const exit_status& how);
  void stop(int status);
  void leave();
  void say(const std::string& what) const;

  const supervisor_options options_;
  const std::function<int(std::size_t, unique_fd)> body_;
  pid_t pid_ = 0;
  unique_fd signals_;
  std::list<entry> all_;
  std::vector<bool> wants_new_;  // by number
  std::vector<pollfd> polled_;
  crash_watch crashes_;
  const own_start own_start_;
  successor successor_;            // until it serves
  bool told_to_serve_ = false;     // to the predecessor, if any
  std::size_t failed_starts_ = 0;  // before any was ready
  bool was_ready_ = false;         // any
  bool stopping_ = false;          // no process is started any more
  bool was_stopped_ = false;       // by a signal, or for want of processes; else a successor serves
  int status_ = 0;
};

}  // namespace weft::inline v1::process::detail
