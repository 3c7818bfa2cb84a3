#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include <weft/context/wait.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/workers/client.hpp>

#include "workers/agreement.hpp"
#include "workers/link.hpp"

namespace weft::workers::detail {

/// The workers of one client and the line of calls that wait for one.
///
/// A worker is idle, held by a checkout, or being started by whoever needs it. `alive_` counts all of
/// them, and never passes max_workers. Whoever gives a worker back hands it to the front of the line
/// under the lock; whoever loses one hands its place over, as the right to start another. So the line
/// moves in order, and nobody waits while there is room.
class pool {
 public:
  explicit pool(client_options options);
  ~pool();

  /// A worker for the caller alone, welcomed or not. Waits its turn; throws call_timed_out at
  /// `until`, resource_exhausted where the line is full, start_failed.
  std::unique_ptr<worker_link> acquire(steady_time until);
  /// A checkout ends: its worker goes to the next one, or is replaced.
  void finish(std::unique_ptr<worker_link> link) noexcept;
  /// Takes a worker back that is fit for further calls.
  void put_back(std::unique_ptr<worker_link> link) noexcept;
  /// A worker is gone; another may be started in its place.
  void forget(std::unique_ptr<worker_link> link, bool died) noexcept;

  void count_call() noexcept;
  void count_timeout() noexcept;
  client_statistics statistics() const;
  const client_options& options() const noexcept { return options_; }
  /// What kind of server the pool's is, as far as a link has found out.
  std::atomic<server_kind>& server() noexcept { return server_; }

 private:
  /// What the one at the front of the line gets.
  struct grant {
    worker_link* link = nullptr;  // null: the right to start one
  };

  std::unique_ptr<worker_link> take_idle() noexcept;
  std::unique_ptr<worker_link> start_one(steady_time until);
  void free_place() noexcept;
  void fill_up() noexcept;

  const client_options options_;
  std::atomic<server_kind> server_ = server_kind::unknown;
  mutable weft::detail::spin_lock lock_;
  weft::detail::waiter_line line_;  // guarded by lock_
  std::vector<worker_link*> idle_;  // guarded by lock_; owned; room for max_workers from the start
  std::size_t alive_ = 0;           // guarded by lock_
  client_statistics counts_;        // guarded by lock_; the counts only
};

}  // namespace weft::workers::detail
