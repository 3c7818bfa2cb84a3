#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <weft/core/unique_fd.hpp>
#include <weft/process/child.hpp>
#include <weft/process/socket.hpp>
#include <weft/workers/start_mode.hpp>

#include "workers/worker_handle.hpp"

namespace weft::inline v1::workers::detail {

/// Where a worker of this program comes from: what weft::main set up, and what it saw then.
class own_program {
 public:
  static own_program& instance();

  /// Remembers the fork server, which ends when this process does or at end_fork_server().
  void set_fork_server(process::child server, unique_fd control, unique_fd keep_alive_writer);
  /// There is none, as these threads ran when it would have been forked.
  void set_no_fork_server(std::vector<std::string> threads);
  void end_fork_server() noexcept;

  /// A new worker: its connection, and a handle on it.
  struct started {
    unique_fd connection;
    std::unique_ptr<worker_handle> handle;
    unique_fd keep_alive;  ///< to be sent along with the hello; -1: it has it
    bool spawned = false;
  };
  started start(start_mode how);

 private:
  std::optional<started> fork_one();
  started spawn_one();
  static void warn_of_spawning(const std::string& why);
  std::string why_no_fork_server() const;

  std::mutex mutex_;
  process::child server_;                  // guarded by mutex_
  unique_fd control_;                      // guarded by mutex_
  unique_fd server_keep_alive_;            // guarded by mutex_; writer
  process::pipe_ends spawned_keep_alive_;  // guarded by mutex_
  std::vector<std::string> threads_;       // guarded by mutex_
  bool reached_main_ = false;              // guarded by mutex_
  bool warned_ = false;                    // guarded by mutex_
};

/// The variable that tells a program which descriptor makes it a worker.
inline constexpr const char* role_variable = "WEFT_WORKER_FD";
/// That descriptor in a started worker.
inline constexpr int role_descriptor = 3;

}  // namespace weft::inline v1::workers::detail
