#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sys/types.h>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/process/exit_status.hpp>
#include <weft/workers/errors.hpp>
#include <weft/workers/server_status.hpp>

#include "workers/captured_output.hpp"
#include "workers/event_set.hpp"
#include "workers/oom_watch.hpp"
#include "workers/unserved_client.hpp"
#include "workers/worker_board.hpp"

namespace weft::inline v1::workers::detail {

/// A child of the fork server.
struct worker_entry {
  pid_t pid = -1;
  unique_fd pidfd = {};
  unique_fd monitor = {};  ///< to its client; -1: none, or nobody needs the worker any more
  unique_fd link = {};     ///< to the worker, of a listening server
  captured_output errors = {};
  worker_slot* slot = nullptr;  ///< null: a clerk, which serves no calls
  bool is_ready = false;        ///< has no client yet
  bool asked_to_end = false;
  steady_time started = steady_clock::now();
  steady_time heard_by = no_deadline;  ///< its client has to have said something
  steady_time kill_at = no_deadline;   ///< set once nobody needs it
  steady_time look_at = no_deadline;   ///< whether its call has taken too long
  bool was_stopped = false;            ///< when it was looked at
  bool was_hung = false;               ///< so it was killed
};

/// How one of them ended.
struct worker_end {
  process::exit_status status;
  worker_slot* slot = nullptr;  ///< null: of a clerk
  bool was_recycled = false;
  bool was_asked = false;  ///< by a signal of this server
  death_cause cause{};
  bool client_knows = false;      ///< or has no way to
  unserved_client returned = {};  ///< that it gave back
  bool by_itself_badly() const noexcept;
};

/// The children of a fork server: each is seen by its pidfd, and its standard error is passed on. What it
/// costs to have them does not grow with their number, except at the end.
class worker_set {
 public:
  /// `hung_after`: how long a call may take, where the server says so; 0: any time.
  worker_set(event_set& events, std::chrono::nanoseconds hung_after)
      : events_(events), hung_after_(hung_after) {}

  void add(worker_entry entry);
  /// Null: has ended.
  worker_entry* find(std::uint64_t id) noexcept;

  /// Hands a client to one that is ready. False when there is none, and then `client` is untouched.
  bool serve(unserved_client& client, unique_fd& monitor, unique_fd& hand_over, steady_time heard_by);

  /// What it wrote is passed on.
  void take_errors(worker_entry& entry);
  /// Its client needs it no more: it is given a while.
  void client_left(std::uint64_t id, worker_entry& entry);
  /// It has ended: tells its client, and forgets it.
  worker_end reap(std::uint64_t id);

  /// Tells all to end when their checkouts do; those without a client end at once.
  void ask_to_finish();
  /// Ends those that are ready, beyond so many.
  void end_ready(std::size_t kept);
  /// SIGTERM for all, and SIGKILL a little later.
  void terminate_all();
  /// The signals that are due.
  void kill_overdue(steady_time now);
  steady_time next_time() const noexcept { return due_.empty() ? no_deadline : due_.begin()->first; }

  std::size_t size() const noexcept { return workers_; }
  std::size_t ready() const noexcept { return ready_.size(); }
  bool is_empty() const noexcept { return all_.empty(); }
  std::size_t clerks() const noexcept { return all_.size() - workers_; }
  std::vector<worker_figures> figures() const;

  /// The kernel's count of kills for want of memory may have changed.
  void look_at_memory() noexcept { memory_.look(steady_clock::now()); }
  int memory_fd() const noexcept { return memory_.fd(); }

  /// Between the polite signal and the other one.
  static constexpr std::chrono::milliseconds kill_grace{100};

 private:
  void end_at(std::uint64_t id, worker_entry& entry, steady_time when);
  void send_signal(std::uint64_t id, worker_entry& entry, steady_time now);
  void watch_calls(std::uint64_t id, worker_entry& entry, steady_time from);
  void look_at_calls(std::uint64_t id, worker_entry& entry, steady_time now);
  death_cause cause_of(const worker_entry& entry, const process::exit_status& status);

  event_set& events_;
  std::chrono::nanoseconds hung_after_;
  oom_watch memory_;
  std::unordered_map<std::uint64_t, worker_entry> all_;
  std::vector<std::uint64_t> ready_;  // the latest at the end
  std::multimap<steady_time, std::uint64_t> due_;
  std::size_t workers_ = 0;
  std::uint64_t next_id_ = 1;
};

}  // namespace weft::inline v1::workers::detail
