#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <weft/context/wait.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/process/crash_watch.hpp>
#include <weft/workers/client.hpp>

#include "workers/agreement.hpp"
#include "workers/link.hpp"

namespace weft::inline v1::workers::detail {

/// The workers of one client and the line of calls that wait for one.
///
/// A worker is idle, held by a checkout, or being started by whoever needs it. `alive_` counts all of
/// them, and never passes max_workers. Whoever gives a worker back hands it to the front of the line
/// under the lock; whoever loses one hands its place over, as the right to start another. So the line
/// moves in order, and nobody waits while there is room.
class pool {
 public:
  explicit pool(client_options options);
  ~pool() =
      default;  ///< idle workers see the end of their connection; their fork server sees to it that they end

  /// A worker for the caller alone, welcomed or not. Waits its turn; throws call_timed_out at
  /// `until`, resource_exhausted where the line is full, start_failed.
  std::shared_ptr<worker_link> acquire(steady_time until);
  /// A checkout ends: its worker goes to the next one, or is replaced.
  void finish(std::shared_ptr<worker_link> link) noexcept;
  /// Takes a worker back that is fit for further calls.
  void put_back(std::shared_ptr<worker_link> link) noexcept;
  /// Why a worker is one of the pool no longer.
  enum class loss : unsigned char { died, went_idle, replaced };
  /// A worker is gone, or nobody needs it any more; another may be started in its place. Once for each.
  void forget(loss why) noexcept;

  void count_call() noexcept;
  void count_timeout() noexcept;
  client_statistics statistics() const;
  const client_options& options() const noexcept { return options_; }
  /// What kind of server the pool's is, as far as a link has found out.
  std::atomic<server_kind>& server() noexcept { return server_; }

 private:
  /// What the one at the front of the line gets.
  struct grant {
    std::shared_ptr<worker_link> link = nullptr;  // null: the right to start one
  };

  std::shared_ptr<worker_link> take_idle() noexcept;
  std::shared_ptr<worker_link> start_one(steady_time until);
  bool is_fit(const worker_link& link) const noexcept;
  /// How busy it is, for messages. Gives the lock back before it makes the text.
  std::string figures(std::unique_lock<weft::detail::spin_lock>& lock) const;
  /// A place in alive_ is handed to the front of the line, or given up. Under lock_.
  void free_place() noexcept;
  void wait_out_crash_loop(steady_time until);
  /// Takes out one that has been idle too long; null for none. Under lock_; to be destroyed without it.
  std::shared_ptr<worker_link> take_overdue(steady_time now) noexcept;
  /// Would another idle worker be one too many in the long run? It is told to end after a while then.
  bool is_spare() const noexcept;
  void fill_up() noexcept;

  const client_options options_;
  std::atomic<server_kind> server_ = server_kind::unknown;
  mutable weft::detail::spin_lock lock_;
  weft::detail::waiter_line line_;                  // guarded by lock_
  std::vector<std::shared_ptr<worker_link>> idle_;  // guarded by lock_; room for max_workers from the start
  std::size_t alive_ = 0;                           // guarded by lock_
  process::crash_watch crashes_;                    // guarded by lock_
  client_statistics counts_;                        // guarded by lock_; the counts only
};

}  // namespace weft::inline v1::workers::detail
